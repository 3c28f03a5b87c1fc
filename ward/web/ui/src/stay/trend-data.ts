/** From history to what a trend panel draws. Pure. */

import type { Series } from "../lib/api";
import { ms } from "../lib/clock";
import type { Alert, Priority, Rule } from "../lib/types";
import { nameOf } from "../lib/words";

export interface Panel {
  id: string;
  signals: string[];
  /** The range that is always shown; data beyond it widens it. */
  low: number;
  high: number;
  /** A valid value speaks for so long (ms); two readings further apart have a gap between them. */
  hold: number;
}

const MINUTE = 60_000;

export const PANELS: readonly Panel[] = [
  { id: "hr", signals: ["hr", "pr"], low: 40, high: 140, hold: 1.5 * MINUTE },
  { id: "spo2", signals: ["spo2"], low: 84, high: 100, hold: 1.5 * MINUTE },
  { id: "rr", signals: ["rr"], low: 5, high: 30, hold: 1.5 * MINUTE },
  { id: "bp", signals: ["sbp", "map", "dbp"], low: 50, high: 180, hold: 65 * MINUTE },
  { id: "temp", signals: ["temp"], low: 35.5, high: 39, hold: 480 * MINUTE },
  { id: "pi", signals: ["pi"], low: 0, high: 5, hold: 1.5 * MINUTE },
  { id: "news2", signals: ["news2"], low: 0, high: 9, hold: 90 * MINUTE },
];

export interface Track {
  signal: string;
  /** Valid readings; a null ends a stretch, so that a gap is drawn as a gap. */
  time: number[];
  value: (number | null)[];
  /** Lowest and highest of each bin; null when these are raw readings. */
  low: (number | null)[] | null;
  high: (number | null)[] | null;
  /** Questionable and invalid readings: shown, but muted. */
  muted: { time: number[]; value: number[] };
}

export function trackOf(signal: string, series: Series, hold: number): Track {
  const binned = series.median !== undefined;
  const values = (binned ? series.median : series.value) ?? [];
  const track: Track = {
    signal,
    time: [],
    value: [],
    low: binned ? [] : null,
    high: binned ? [] : null,
    muted: { time: [], value: [] },
  };
  let last: number | null = null;
  series.time.forEach((raw, i) => {
    const time = ms(raw);
    const value = values[i];
    if (time === null || value === null || value === undefined) return;
    if (!binned && (series.quality?.[i] ?? "valid") !== "valid") {
      track.muted.time.push(time);
      track.muted.value.push(value);
      return;
    }
    if (last !== null && time - last > hold) push(track, last + 1, null, null, null);
    push(track, time, value, series.min?.[i] ?? value, series.max?.[i] ?? value);
    last = time;
  });
  return track;
}

function push(track: Track, time: number, value: number | null, low: number | null, high: number | null): void {
  // Two devices may read at the same instant; an axis needs one value each.
  if (track.time.at(-1) === time) {
    track.time.pop();
    track.value.pop();
    track.low?.pop();
    track.high?.pop();
  }
  track.time.push(time);
  track.value.push(value);
  track.low?.push(low);
  track.high?.push(high);
}

/** Newer history over older: from `from` on only the newer counts, because readings get resolved later. */
export function merge(old: Series | undefined, fresh: Series, from: number, start: number): Series {
  if (!old) return fresh;
  const keep = old.time.map((time, i) => ({ i, at: ms(time) ?? 0 })).filter(({ at }) => at >= start && at < from);
  const merged: Series = { time: [...keep.map(({ at }) => at), ...fresh.time] };
  for (const column of ["value", "quality", "reason", "min", "median", "max"] as const) {
    const before = old[column];
    const after = fresh[column];
    if (before || after) {
      Object.assign(merged, { [column]: [...keep.map(({ i }) => before?.[i] ?? null), ...(after ?? [])] });
    }
  }
  return merged;
}

export interface Threshold {
  signal: string;
  value: number;
  priority: Priority;
  title: string;
  /** Only one of several conditions that must hold together. */
  part: boolean;
}

const CLAUSE = /^\s*(\w+)\s*(<=|>=|<|>)\s*(-?[\d.]+)\s*$/;
const ORDER: Readonly<Record<Priority, number>> = { high: 0, medium: 1, low: 2 };

/** One line for each signal and number; where several rules share it, the gravest one that stands alone. */
export function thresholds(rules: readonly Rule[]): Threshold[] {
  const lines = new Map<string, Threshold>();
  for (const rule of rules) {
    const clauses = rule.when.map((text) => CLAUSE.exec(text));
    const alone = new Set(clauses.map((clause) => clause?.[1])).size === 1;
    for (const clause of clauses) {
      if (!clause) continue;
      const [, signal = "", , number = ""] = clause;
      const line: Threshold = { signal, value: Number(number), priority: rule.priority, title: nameOf(rule), part: !alone };
      const key = `${signal} ${line.value}`;
      const known = lines.get(key);
      const graver = !known || Number(line.part) - Number(known.part) || ORDER[line.priority] - ORDER[known.priority];
      if (graver === true || graver < 0) lines.set(key, line);
    }
  }
  return [...lines.values()];
}

export interface Span {
  signal: string;
  from: number;
  to: number;
  raised: number | null;
  priority: Priority;
}

/** Alerts over the signals that their rules look at; an alert whose rule is not known, over its own signal. */
export function spans(alerts: readonly Alert[], rules: readonly Rule[], now: number): Span[] {
  const signals = new Map(rules.map(({ id, when }) => [id, new Set(when.map((text) => CLAUSE.exec(text)?.[1] ?? ""))]));
  return alerts.flatMap((alert) => {
    const raised = ms(alert.raised_at);
    const from = ms(alert.breach_since) ?? raised;
    if (!alert.signal || from === null || alert.kind === "technical") return [];
    const to = ms(alert.cleared_at) ?? ms(alert.closed_at) ?? now;
    const own = signals.get(alert.rule) ?? new Set([alert.signal]);
    return [...own].map((signal) => ({ signal, from, to, raised, priority: alert.priority }));
  });
}

/** The range of the valid values, at least the panel's own: an artefact must not flatten the curve. */
export function rangeOf(panel: Panel, tracks: Track[]): [number, number] {
  let [low, high] = [panel.low, panel.high];
  for (const track of tracks) {
    for (const value of [...(track.low ?? track.value), ...(track.high ?? [])]) {
      if (value === null) continue;
      if (value < low) low = value - 1;
      if (value > high) high = value + 1;
    }
  }
  return [low, high];
}

/** The value that a series has at an instant of the shared axis: its last one, if that still speaks. */
export function nearest(
  values: ArrayLike<number | null | undefined> | undefined,
  times: ArrayLike<number>,
  index: number,
  hold: number,
): number | null {
  if (!values) return null;
  for (let i = index; i >= 0; i--) {
    if ((times[index] ?? 0) - (times[i] ?? 0) > hold) return null;
    const value = values[i];
    if (value === null) return null;
    if (value !== undefined) return value;
  }
  return null;
}

const STEPS = [1, 5, 10, 15, 30, 60, 120, 240, 360].map((minutes) => minutes * MINUTE);

/** Round clock times of this screen's zone, at most `most` of them. */
export function timeTicks(low: number, high: number, most: number, zone = new Date(low).getTimezoneOffset() * MINUTE): number[] {
  const step = STEPS.find((one) => (high - low) / one <= most) ?? 720 * MINUTE;
  const first = Math.ceil((low - zone) / step) * step + zone;
  return Array.from({ length: Math.max(0, Math.floor((high - first) / step) + 1) }, (_, i) => first + i * step);
}
