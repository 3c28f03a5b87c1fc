/** Who needs somebody: puts every bed into one of a few needs, and the beds into their order. Pure. */

import { ms } from "./clock";
import type { Alert, Pending, Priority, Stay } from "./types";

/**
 * From the one that needs somebody most to the one that needs nobody. The order is the ranking.
 * `waiting` is a technical rule that is pending: a need of things, never of a bed. `unmonitored` is a bed's, never a
 * thing's: no device is attached.
 */
export const NEEDS = [
  "high",
  "medium",
  "returned",
  "low",
  "technical",
  "unmonitored",
  "acknowledged",
  "shelved",
  "pending",
  "waiting",
  "calm",
] as const;
export type Need = (typeof NEEDS)[number];

/** The needs for which somebody has to go, and nobody has said that they do. */
export const UNTAKEN: ReadonlySet<Need> = new Set(["high", "medium", "returned", "low", "technical"]);

const RANK = Object.fromEntries(NEEDS.map((need, rank) => [need, rank])) as Record<Need, number>;
const PRIORITY: Readonly<Record<Priority, number>> = { high: 0, medium: 1, low: 2 };
const BEDS = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** One thing to say about a bed. */
export type Thing =
  | { need: Need; alert: Alert; pending: null; since: number }
  | { need: Need; alert: null; pending: Pending; since: number };

export interface BedView {
  stay: Stay;
  need: Need;
  worst: Thing | null;
  others: Thing[];
}

export function needOfAlert(alert: Alert): Need | null {
  if (alert.state === "closed") return null;
  const technical = alert.kind === "technical";
  switch (alert.state) {
    case "active":
      return technical ? "technical" : alert.priority;
    case "returned":
      return technical ? "technical" : "returned";
    case "acknowledged":
      return "acknowledged";
    case "shelved":
      return "shelved";
    default:
      return null;
  }
}

function needOfPending(pending: Pending): Need | null {
  if (pending.state === "suppressed") return null;
  return pending.kind === "technical" ? "waiting" : "pending";
}

function weight(thing: Thing): [number, number, number, number] {
  const source = thing.alert ?? thing.pending;
  // Of pending ones the first to be told leads; of alerts the one that has waited longest.
  const order = thing.pending ? (thing.pending.left_s ?? Infinity) : thing.since;
  const taken = thing.alert && thing.alert.state !== "active" && thing.alert.state !== "returned" ? 1 : 0;
  return [RANK[thing.need], taken, PRIORITY[source.priority], order];
}

function byWeight(a: Thing, b: Thing): number {
  const left = weight(a);
  const right = weight(b);
  for (let i = 0; i < left.length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference) return difference;
  }
  return 0;
}

export function thingsOf(stay: Stay): Thing[] {
  const things: Thing[] = [];
  for (const alert of stay.alerts) {
    const need = needOfAlert(alert);
    if (need) things.push({ need, alert, pending: null, since: ms(alert.breach_since ?? alert.raised_at) ?? 0 });
  }
  for (const pending of stay.pending) {
    const need = needOfPending(pending);
    if (need) things.push({ need, alert: null, pending, since: ms(pending.since) ?? 0 });
  }
  return things.sort(byWeight);
}

/** Nothing measures this patient: what is not seen must not look calm. */
export function isUnmonitored(stay: Stay): boolean {
  return stay.devices.every(({ until }) => until !== null);
}

const views = new WeakMap<Stay, BedView>();

/** The same object for the same state of a stay: what did not change is not drawn anew. */
export function bedView(stay: Stay): BedView {
  const known = views.get(stay);
  if (known) return known;
  const made = viewOf(stay);
  views.set(stay, made);
  return made;
}

function viewOf(stay: Stay): BedView {
  const [first = null, ...others] = thingsOf(stay);
  if (isUnmonitored(stay) && (!first || RANK[first.need] > RANK.unmonitored)) {
    return { stay, need: "unmonitored", worst: null, others: first ? [first, ...others] : others };
  }
  // A measurement that is merely due (its cell says 'unknown') is no headline: such a bed stays calm.
  if (!first || first.need === "waiting") return { stay, need: "calm", worst: null, others: first ? [first, ...others] : others };
  return { stay, need: first.need, worst: first, others };
}

/** Does nobody have the worst thing of this bed yet? Nobody measured needs somebody, too. */
export function untaken(view: BedView): boolean {
  return UNTAKEN.has(view.need);
}

/** Among those who need somebody as badly, whoever waits longest comes first; the others lie in the order of their beds. */
function waits(view: BedView): number {
  return untaken(view) && view.worst ? view.worst.since : 0;
}

/** Somebody is needed for the measurement, not for the patient. */
export function isTechnical(view: BedView): boolean {
  return view.need === "technical" || view.need === "unmonitored";
}

export function compareBeds(a: BedView, b: BedView): number {
  return (
    RANK[a.need] - RANK[b.need] ||
    waits(a) - waits(b) ||
    BEDS.compare(a.stay.bed, b.stay.bed) ||
    BEDS.compare(a.stay.ward, b.stay.ward) ||
    (a.stay.id < b.stay.id ? -1 : 1)
  );
}

export function board(stays: Iterable<Stay>, ward: string | null): BedView[] {
  const views: BedView[] = [];
  for (const stay of stays) {
    if (stay.discharged_at === null && (ward === null || stay.ward === ward)) views.push(bedView(stay));
  }
  return views.sort(compareBeds);
}

export function isHers(stay: Stay, name: string | null | undefined): boolean {
  return !!name && stay.carer?.name === name;
}

/** Hers alone; an alert that nobody took stays whoever has the patient. */
export function onlyHers(views: readonly BedView[], name: string | null | undefined): BedView[] {
  return views.filter((view) => isHers(view.stay, name) || (view.need === "high" && untaken(view)));
}

export function count(views: readonly BedView[]): Record<Need, number> {
  const counts = Object.fromEntries(NEEDS.map((need) => [need, 0])) as Record<Need, number>;
  for (const view of views) counts[view.need]++;
  return counts;
}

export function wards(stays: Iterable<Stay>): string[] {
  return [...new Set([...stays].map((stay) => stay.ward))].sort(BEDS.compare);
}

/** Alerts of a bed that a person can still take. */
export function takeable(stay: Stay): Alert[] {
  return thingsOf(stay).flatMap(({ alert }) =>
    alert && (alert.state === "active" || alert.state === "returned") ? [alert] : [],
  );
}

/** All that the alert's rule looks at; of older alerts only the first is known. */
export function signalsOf(alert: Pick<Alert, "signal" | "signals">): string[] {
  if (alert.signals?.length) return alert.signals;
  return alert.signal ? [alert.signal] : [];
}

/** Priority of each signal that an open, not muted physiological alert of this stay is about. */
export function alertedSignals(stay: Stay): Map<string, Priority> {
  const signals = new Map<string, Priority>();
  for (const alert of stay.alerts) {
    if (alert.kind === "technical") continue;
    if (alert.state !== "active" && alert.state !== "acknowledged") continue;
    for (const signal of signalsOf(alert)) {
      const known = signals.get(signal);
      if (!known || PRIORITY[alert.priority] < PRIORITY[known]) signals.set(signal, alert.priority);
    }
  }
  return signals;
}

/** Time until a pending alert is told; null when unknown. It stands still while the server says no moment: then nobody
 * knows whether the breach goes on. */
export function timeLeft(pending: Pending, now: number): number | null {
  const due = ms(pending.due_at);
  if (due !== null) return Math.max(0, due - now);
  return pending.left_s === null ? null : pending.left_s * 1_000;
}
