/** Times as people here type them: `21.11.2026 14.32`, `21/11 14:32`, `1432`. Pure. */

const CLOCK = /^(\d{1,2})(?:[.:]?(\d{2}))?$/;
const DATE = /^(\d{1,2})[./-](\d{1,2})\.?(?:[./-]?(\d{4}|\d{2}))?(?:[ ,]+(.*))?$/;

const two = (number: number): string => String(number).padStart(2, "0");

/** `14:32` of `14.32`, `1432`, `14`; null where it is no time of a day. */
export function parseClock(text: string): string | null {
  const [, hour, minute] = CLOCK.exec(text.trim()) ?? [];
  if (hour === undefined) return null;
  const [h, m] = [Number(hour), Number(minute ?? 0)];
  return h < 24 && m < 60 ? `${two(h)}:${two(m)}` : null;
}

/**
 * The moment (ms) that is meant: day, month, perhaps year, perhaps the time; or the time alone, of today. Without a
 * year it is the last one that is not in the future. Null where there is no such moment.
 */
export function parseMoment(text: string, now: number): number | null {
  const words = text.trim();
  const today = new Date(now);
  const [, day, month, year, rest] = DATE.exec(words) ?? [];
  const isDate = day !== undefined && !(words.includes(":") && !rest);
  const clock = parseClock(isDate ? (rest ?? "0") : words);
  if (clock === null) return null;
  const [hour = 0, minute = 0] = clock.split(":").map(Number);
  if (!isDate) return today.setHours(hour, minute, 0, 0);
  const at = (full: number): Date => new Date(full, Number(month) - 1, Number(day), hour, minute);
  const full = year === undefined ? today.getFullYear() : Number(year) + (year.length === 2 ? 2000 : 0);
  const meant = year === undefined && at(full).getTime() > now ? at(full - 1) : at(full);
  return meant.getDate() === Number(day) && meant.getMonth() === Number(month) - 1 ? meant.getTime() : null;
}
