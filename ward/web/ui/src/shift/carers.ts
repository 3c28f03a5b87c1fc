/** Who has which patient, as the cards and the pages say it. Pure. */

import { ms } from "../lib/clock";
import { clock } from "../lib/format";
import type { Stay } from "../lib/types";
import { t } from "../text";

export function isMine(stay: Stay, name: string | undefined): boolean {
  return !!name && stay.carer?.name === name;
}

/** 'Ada Berg until 14:30', 'Nobody (Ada Berg until 14:30)'. */
export function carerWords(stay: Stay, now: number): string {
  const { carer, carer_before: before } = stay;
  if (carer) return t.shift.has(carer.name, clock(ms(carer.until) ?? now, now));
  return before ? t.shift.nobodySince(before.name, clock(ms(before.until) ?? now, now)) : t.shift.nobody;
}

/** As people number beds: 2 before 10. */
export function byBed(a: { bed: string }, b: { bed: string }): number {
  return a.bed.localeCompare(b.bed, undefined, { numeric: true });
}
