/** Figures of a report in words. Pure. */

import type { components } from "../lib/api-types";
import { duration, number } from "../lib/format";
import { t } from "../text";

export type Report = components["schemas"]["RuleReport"];
export type RuleFigures = components["schemas"]["RuleFigures"];
export type WardDrift = components["schemas"]["WardDrift"];
type Finding = components["schemas"]["Finding"];
type Spread = components["schemas"]["Spread"];

const DAY_MS = 86_400_000;
/** How far back a report may look, in days. */
export const SPANS = [7, 28, 90, 365] as const;

export function percent(share: number): string {
  return `${number(share * 100, 0)} %`;
}

/** A number per patient and day; nothing where no time was monitored. */
export function perDay(value: number | null | undefined): string {
  return value === null || value === undefined ? t.reports.none : number(value, 2);
}

/** What the assessments can say, and no more. */
export function verdict(rule: Pick<RuleFigures, "judgement" | "actionable" | "assessed" | "assessed_patients">): string {
  const { kind, low, high } = rule.judgement;
  const said = t.reports.verdicts[kind];
  return said(String(rule.actionable.count), String(rule.assessed), String(rule.assessed_patients), percent(low ?? 0), percent(high ?? 1));
}

/** Median, and what nine of ten did not exceed. */
export function spread(found: Spread | null | undefined): string {
  return found ? t.reports.spread(duration(found.median * 1_000), duration(found.p90 * 1_000)) : t.reports.none;
}

export function cautions(report: Report): string[] {
  return report.cautions.map(({ kind, since }) => t.reports.cautions[kind](since ?? ""));
}

/** How a ward differs from its reference, in one line. */
export function difference({ what, aspect, now, reference }: Finding): string {
  if (aspect === "known") return t.reports.drift.known(t.signals[what] ?? what, percent(now), percent(reference));
  const loads: Readonly<Record<string, string>> = { alerts: t.reports.alerts, interruptions: t.reports.interruptions };
  const name = loads[what] ? `${loads[what]} ${t.reports.perDay}` : (t.signals[what] ?? what);
  return t.reports.drift.value(name, number(now, 2), number(reference, 2));
}

export function spanOf(days: number, now: number): { start: string; end: string } {
  return { start: new Date(now - days * DAY_MS).toISOString(), end: new Date(now).toISOString() };
}
