/** What is to be tried, over what, in which order: a first look before the whole. Pure. */

import type { TrialHistory, TrialRequest } from "./api";
import { changeOf, editOf, gridAxes, HOUR, movable, toText, type Edit, type FullRule } from "./rules";

export const DAY = 24 * HOUR;

export const PERIODS = ["6h", "day", "week", "month", "all"] as const;
export type Period = (typeof PERIODS)[number];

const LENGTHS: Readonly<Record<Period, number>> = { "6h": 6 * HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY, all: Infinity };
/** So many readings are tried while somebody waits, about; and at most, which the service also says. */
const QUICK = 3_000_000;
const MOST = 24_000_000;
/** Patients of a first look. */
export const FIRST_LOOK = 4;

export interface Span {
  start: number;
  end: number;
  /** There is more than can be tried at once. */
  cut: boolean;
}

function density(history: TrialHistory): { start: number; end: number; perMs: number } | null {
  if (history.start === null || history.end === null || !history.readings) return null;
  const [start, end] = [Date.parse(history.start), Date.parse(history.end)];
  return { start, end, perMs: history.readings / Math.max(end - start, HOUR) };
}

/** The latest part of what is stored; null where nothing is. */
export function spanOf(history: TrialHistory, period: Period): Span | null {
  const known = density(history);
  if (!known) return null;
  const asked = Math.min(LENGTHS[period], known.end - known.start);
  const length = Math.min(asked, MOST / known.perMs);
  return { start: Math.round(known.end - length), end: known.end + 1, cut: length < asked };
}

/** The longest period that is tried quickly. */
export function periodFor(history: TrialHistory): Period {
  const known = density(history);
  if (!known) return "day";
  const quick = Math.max(QUICK / known.perMs, LENGTHS["6h"]);
  return PERIODS.filter((period) => Math.min(LENGTHS[period], known.end - known.start) <= quick).at(-1) ?? "6h";
}

/** Some of the patients, evenly over the ward; null where a first look would be no quicker. */
export function sample(stays: readonly string[]): string[] | null {
  if (stays.length <= 2 * FIRST_LOOK) return null;
  return Array.from({ length: FIRST_LOOK }, (_, i) => stays[Math.floor((i * stays.length) / FIRST_LOOK)] ?? "");
}

export interface Asked {
  rules: readonly FullRule[];
  rule: FullRule;
  edits: ReadonlyMap<string, Edit>;
  scope: string;
  span: Span;
  events: { stay: string; time: string }[] | null;
  wanted: number;
  /** How long readings count, as it is tried: by signal, ms. */
  holds: ReadonlyMap<string, number>;
  /** Over this file, in place of what is stored. */
  recording: string;
  labels: string;
}

/** What is different from what is in force, rule by rule. */
export function changesOf(rules: readonly FullRule[], edits: ReadonlyMap<string, Edit>): Record<string, unknown>[] {
  return rules.flatMap((rule) => {
    const edit = edits.get(rule.id);
    const change = edit ? changeOf(rule, edit) : {};
    return Object.keys(change).length ? [{ id: rule.id, ...change }] : [];
  });
}

type Common = Pick<TrialRequest, "start" | "end" | "ward" | "stays" | "scope" | "events" | "listed" | "holds" | "recording" | "labels">;

function common({ scope, span, events, holds, recording, labels }: Asked): Common {
  const held = holds.size ? { holds: Object.fromEntries([...holds].map(([signal, ms]) => [signal, toText(ms)])) } : {};
  if (recording) return { recording, scope, listed: false, ...held, ...(labels ? { labels } : {}) };
  const name = scope.slice(scope.indexOf(":") + 1);
  return {
    start: new Date(span.start).toISOString(),
    end: new Date(span.end).toISOString(),
    scope,
    listed: false,
    ...held,
    ...(scope.startsWith("ward:") ? { ward: name } : {}),
    ...(scope.startsWith("stay:") ? { stays: [name] } : {}),
    ...(events ? { events } : {}),
  };
}

/** The candidate; null where nothing is different. */
export function candidateRequest(asked: Asked): TrialRequest | null {
  const rules = changesOf(asked.rules, asked.edits);
  return rules.length || asked.holds.size ? { ...(rules.length ? { rules } : {}), ...common(asked) } : null;
}

/** The rule over thresholds and durations, with what else was moved beside; null where it has no threshold. */
export function mapRequest(asked: Asked): TrialRequest | null {
  const place = movable(asked.rule);
  if (!place) return null;
  const present = editOf(asked.rule);
  const axes = gridAxes(place.clause.signal, present, place.at);
  const edit = asked.edits.get(asked.rule.id);
  // What the map itself moves is left as it is in force.
  const own = edit && { ...edit, thresholds: edit.thresholds.map((n, i) => (i === place.at ? (present.thresholds[i] ?? null) : n)), for: present.for };
  const edits = new Map(asked.edits);
  if (own) edits.set(asked.rule.id, own);
  const rules = changesOf(asked.rules, edits);
  return {
    ...(rules.length ? { rules } : {}),
    grid: { rule: asked.rule.id, signal: place.clause.signal, thresholds: axes.thresholds, for: axes.durations.map(toText) },
    suggest: { per_day: asked.wanted },
    ...common(asked),
  };
}
