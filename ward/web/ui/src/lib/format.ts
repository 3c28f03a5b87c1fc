/** Numbers and times as people of the chosen language read them, in the screen's time zone. `now` is always given. */

import { language, LOCALES, t, type Language } from "../text";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An age in words. Steps of ten seconds below a minute, so that a calm board does not flicker. */
export function age(msOld: number): string {
  if (msOld < 10 * SECOND) return t.time.now;
  if (msOld < MINUTE) return `${Math.floor(msOld / (10 * SECOND)) * 10} ${t.time.s}`;
  return duration(msOld);
}

/** As short as a cell of the board asks for: '1 h 34'. */
export function shortAge(msOld: number): string {
  return age(msOld).replace(/^(\d+ \S+ \d+) .*$/, "$1");
}

export function duration(length: number): string {
  const span = Math.max(0, length);
  const whole = (unit: number, name: string): string => `${Math.floor(span / unit)} ${name}`;
  const rest = (unit: number, part: number, name: string): string => {
    const left = Math.floor((span % unit) / part);
    return left ? ` ${left} ${name}` : "";
  };
  if (span < MINUTE) return whole(SECOND, t.time.s);
  if (span < HOUR) return whole(MINUTE, t.time.min);
  if (span < DAY) return whole(HOUR, t.time.h) + rest(HOUR, MINUTE, t.time.min);
  return whole(DAY, t.time.d) + rest(DAY, HOUR, t.time.h);
}

/** Time left: whole minutes (rounded up) while it is long, minutes and seconds when it gets close. */
export function countdown(left: number): string {
  if (left <= 0) return t.time.due;
  if (left >= HOUR) return duration(Math.ceil(left / MINUTE) * MINUTE);
  if (left > 5 * MINUTE) return `${Math.ceil(left / MINUTE)} ${t.time.min}`;
  const seconds = Math.ceil(left / SECOND);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const TIMES = {
  dayOnAxis: { weekday: "short", day: "numeric" },
  minute: { hour: "2-digit", minute: "2-digit" },
  second: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  withDay: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  day: { weekday: "long", day: "numeric", month: "long" },
  date: { day: "numeric", month: "short", year: "numeric" },
  typed: { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit" },
  dateTime: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** Making a formatter costs a hundred times more than using one. */
const made = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>();

function once<T extends Intl.DateTimeFormat | Intl.NumberFormat>(name: string | number, make: (locale: string) => T): T {
  const chosen: Language = language();
  const key = `${chosen} ${name}`;
  const known = made.get(key) as T | undefined;
  if (known) return known;
  const fresh = make(LOCALES[chosen]);
  made.set(key, fresh);
  return fresh;
}

function time(kind: keyof typeof TIMES, at: number): string {
  return once(kind, (locale) => new Intl.DateTimeFormat(locale, TIMES[kind])).format(at);
}

/** Clock time; with the day as soon as it is more than 18 h away, when '14:32' alone would mislead. */
export function clock(at: number, now: number): string {
  return time(Math.abs(now - at) > 18 * HOUR ? "withDay" : "minute", at);
}

export function clockSeconds(at: number): string {
  return time("second", at);
}

export function day(at: number): string {
  return time("day", at);
}

export function date(at: number): string {
  return time("date", at);
}

export function dateTime(at: number): string {
  return time("dateTime", at);
}

/** As one would type it: '21.11.2026 14.32'. */
export function momentTyped(at: number): string {
  return time("typed", at).replace(",", "");
}

/** With exactly so many decimals, after a point or a comma. */
export function number(value: number, decimals: number): string {
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: false };
  return once(decimals, (locale) => new Intl.NumberFormat(locale, options)).format(value);
}

/** With as many decimals as it has, at most three. */
export function plain(value: number): string {
  return once("plain", (locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 3, useGrouping: false })).format(value);
}

/** A number as people type it: with a decimal comma or a point. Null where it is none. */
export function parseNumber(text: string): number | null {
  const plain = text.trim().replace(",", ".").replace("−", "-");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : null;
}

/** A sentence with its `{places}` filled. */
export function fill(sentence: string, params: Readonly<Record<string, unknown>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? t.unknown));
}

/** Subscript digits where the field writes them: SpO2 becomes SpO₂, and O2 becomes O₂. */
export function pretty(text: string): string {
  return text.replace(/\b(Sp)?O2\b/g, "$1O₂").replace(/<=/g, "≤").replace(/>=/g, "≥");
}

/** At an axis: the hour, and at midnight the day that begins. */
export function axisTime(at: number): string {
  const then = new Date(at);
  return then.getHours() || then.getMinutes() ? time("minute", at) : time("dayOnAxis", at);
}
