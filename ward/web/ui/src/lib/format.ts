/** Numbers and times as people read them. Pure; `now` is always given. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An age in words. Steps of ten seconds below a minute, so that a calm board does not flicker. */
export function age(msOld: number): string {
  if (msOld < 10 * SECOND) return "now";
  if (msOld < MINUTE) return `${Math.floor(msOld / (10 * SECOND)) * 10} s`;
  return duration(msOld);
}

/** As short as a cell of the board asks for: '1 h 34'. */
export function shortAge(msOld: number): string {
  return age(msOld).replace(/^(\d+ [hd] \d+) .*$/, "$1");
}

export function duration(length: number): string {
  const span = Math.max(0, length);
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min`;
  const minutes = Math.floor((span % HOUR) / MINUTE);
  if (span < DAY) return minutes ? `${Math.floor(span / HOUR)} h ${minutes} min` : `${Math.floor(span / HOUR)} h`;
  const hours = Math.floor((span % DAY) / HOUR);
  return hours ? `${Math.floor(span / DAY)} d ${hours} h` : `${Math.floor(span / DAY)} d`;
}

/** Time left: whole minutes (rounded up) while it is long, minutes and seconds when it gets close. */
export function countdown(left: number): string {
  if (left <= 0) return "due";
  if (left >= HOUR) return duration(Math.ceil(left / MINUTE) * MINUTE);
  if (left > 5 * MINUTE) return `${Math.ceil(left / MINUTE)} min`;
  const seconds = Math.ceil(left / SECOND);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const HOUR_MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const WITH_SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const WITH_DAY = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const DAY_ONLY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });

/** Clock time; with the day as soon as it is more than 18 h away, when '14:32' alone would mislead. */
export function clock(at: number, now: number): string {
  return Math.abs(now - at) > 18 * HOUR ? WITH_DAY.format(at) : HOUR_MINUTE.format(at);
}

export function clockSeconds(at: number): string {
  return WITH_SECONDS.format(at);
}

export function day(at: number): string {
  return DAY_ONLY.format(at);
}

export function number(value: number, decimals: number): string {
  return value.toFixed(decimals);
}

/** Subscript digits where the field writes them: SpO2 becomes SpO₂, and O2 becomes O₂. */
export function pretty(text: string): string {
  return text.replace(/\b(Sp)?O2\b/g, "$1O₂").replace(/<=/g, "≤").replace(/>=/g, "≥");
}
