/** Times of a rehearsal. Pure. */

/** The next moment after `now` at which a clock on this screen shows `time` (hh:mm); now where it cannot be read. */
export function momentOf(time: string, now: Date): Date {
  const found = /^(\d\d):(\d\d)/.exec(time);
  if (!found) return now;
  const at = new Date(now);
  at.setHours(Number(found[1]), Number(found[2]), 0, 0);
  if (at < now) at.setDate(at.getDate() + 1);
  return at;
}
