/** From history to what a trend panel draws. Pure. */

import type { Series } from "../lib/api";
import { ms } from "../lib/clock";
import { plain } from "../lib/format";
import { signalsOf } from "../lib/board";
import { nameOf } from "../lib/words";
import type { Alert, Priority, Rule, StayEvent } from "../lib/types";

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
const HOUR = 60 * MINUTE;

/** Up to so long a span (ms), bins of so many seconds: about as many as a screen has points. Null: every reading. */
const BINS: readonly (readonly [number, number | null])[] = [
  [1.5 * HOUR, null],
  [4.5 * HOUR, 15],
  [9 * HOUR, 30],
  [26 * HOUR, 120],
  [80 * HOUR, 300],
];
const WIDEST_BIN = 600;

export function resolutionOf(span: number): number | null {
  const fitting = BINS.find(([longest]) => span <= longest);
  return fitting ? fitting[1] : WIDEST_BIN;
}

export const PANELS: readonly Panel[] = [
  { id: "hr", signals: ["hr", "pr"], low: 40, high: 140, hold: 1.5 * MINUTE },
  { id: "spo2", signals: ["spo2"], low: 84, high: 100, hold: 1.5 * MINUTE },
  { id: "rr", signals: ["rr"], low: 5, high: 30, hold: 1.5 * MINUTE },
  { id: "bp", signals: ["sbp", "map", "dbp"], low: 50, high: 180, hold: 65 * MINUTE },
  { id: "temp", signals: ["temp"], low: 35.5, high: 39, hold: 480 * MINUTE },
  { id: "pi", signals: ["pi"], low: 0, high: 5, hold: 1.5 * MINUTE },
  { id: "news2", signals: ["news2"], low: 0, high: 9, hold: 6 * MINUTE },
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
  muted: { time: number[]; value: number[]; reason: string[] };
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
    muted: { time: [], value: [], reason: [] },
  };
  let last: number | null = null;
  series.time.forEach((raw, i) => {
    const time = ms(raw);
    const value = values[i];
    if (time === null || value === null || value === undefined) return;
    if (!binned && (series.quality?.[i] ?? "valid") !== "valid") {
      track.muted.time.push(time);
      track.muted.value.push(value);
      track.muted.reason.push(series.reason?.[i] ?? "");
      return;
    }
    if (last !== null && time - last > hold) push(track, last + 1, null, null, null);
    push(track, time, value, series.min?.[i] ?? value, series.max?.[i] ?? value);
    last = time;
  });
  series.doubted?.time.forEach((raw, i) => {
    const time = ms(raw);
    for (const value of new Set([series.doubted?.min[i], series.doubted?.max[i]])) {
      if (time === null || value === undefined) continue;
      track.muted.time.push(time);
      track.muted.value.push(value);
      track.muted.reason.push("");
    }
  });
  return track;
}

/** The valid value of an instant: the last one, while it speaks. */
export function valueAt({ time, value }: Track, at: number, hold: number): number | null {
  const i = time.findLastIndex((one) => one <= at);
  return i < 0 || at - time[i]! > hold ? null : (value[i] ?? null);
}

/** What does not count, where the cursor is: the last such reading that is not older than `hold`. */
export function doubtAt({ muted }: Track, at: number, hold: number): { value: number; reason: string } | null {
  const i = muted.time.findLastIndex((time) => time <= at);
  if (i < 0 || at - muted.time[i]! > hold) return null;
  return { value: muted.value[i]!, reason: muted.reason[i] ?? "" };
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
  const doubted = mergeDoubted(old.doubted, fresh.doubted, from, start);
  return doubted ? { ...merged, doubted } : merged;
}

type Doubted = NonNullable<Series["doubted"]>;

function mergeDoubted(old: Doubted | null | undefined, fresh: Doubted | null | undefined, from: number, start: number): Doubted | null | undefined {
  if (!old) return fresh;
  const keep = old.time.map((time, i) => ({ i, at: ms(time) ?? 0 })).filter(({ at }) => at >= start && at < from);
  const of = (column: "min" | "max" | "count"): number[] => [...keep.map(({ i }) => old[column][i] ?? 0), ...(fresh?.[column] ?? [])];
  return { time: [...keep.map(({ at }) => at), ...(fresh?.time ?? [])], min: of("min"), max: of("max"), count: of("count") };
}

export interface Threshold {
  signal: string;
  value: number;
  priority: Priority;
  title: string;
  /** The number as it is read. */
  text: string;
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
      const line: Threshold = { signal, value: Number(number), priority: rule.priority, title: nameOf(rule), text: plain(Number(number)), part: !alone };
      const key = `${signal} ${line.value}`;
      const known = lines.get(key);
      const graver = !known || Number(line.part) - Number(known.part) || ORDER[line.priority] - ORDER[known.priority];
      if (graver === true || graver < 0) lines.set(key, line);
    }
  }
  return [...lines.values()];
}

export type Look = Priority | "technical" | "gained" | "lost" | "shelved" | "paused";

/** Something that lasted, drawn over the curves. */
export interface Mark {
  from: number;
  to: number;
  /** When it was raised: a line. */
  at: number | null;
  /** Over the panels of these; null: over all. */
  signals: string[] | null;
  look: Look;
  label: string;
}

/** Alerts over all signals that their rules look at. */
export function alertMarks(alerts: readonly Alert[], now: number): Mark[] {
  return alerts.flatMap((alert) => {
    const at = ms(alert.raised_at);
    const from = ms(alert.breach_since) ?? at;
    const signals = signalsOf(alert);
    if (!signals.length || from === null || alert.kind === "technical") return [];
    const to = ms(alert.cleared_at) ?? ms(alert.closed_at) ?? now;
    return [{ from, to, at, signals, look: alert.priority, label: nameOf(alert) }];
  });
}

/** From the stay's log (the latest first): when the patient was away, and which signals were muted when. */
export function logMarks(events: readonly StayEvent[], alerts: readonly Alert[], now: number, label: { paused: string; shelved: string }): Mark[] {
  const signals = new Map(alerts.map((alert) => [alert.id, signalsOf(alert)]));
  const open = new Map<string, Mark>();
  const marks: Mark[] = [];
  const end = (key: string, at: number): void => {
    const mark = open.get(key);
    if (mark) marks.push({ ...mark, to: at });
    open.delete(key);
  };
  for (const event of [...events].reverse()) {
    const at = ms(event.at) ?? 0;
    if (event.kind === "paused" && !open.has("pause")) {
      open.set("pause", { from: at, to: now, at: null, signals: null, look: "paused", label: label.paused });
    } else if (event.kind === "pause-ended") end("pause", at);
    else if (event.alert && event.after === "shelved" && !open.has(event.alert)) {
      const shelved: Mark = { from: at, to: now, at: null, signals: signals.get(event.alert) ?? [], look: "shelved", label: label.shelved };
      open.set(event.alert, shelved);
    } else if (event.alert && event.after !== "shelved") end(event.alert, at);
  }
  return [...marks, ...open.values()];
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

const STEPS = [1, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440].map((minutes) => minutes * MINUTE);

/** Round clock times of this screen's zone, at most `most` of them. */
export function timeTicks(low: number, high: number, most: number, zone = new Date(low).getTimezoneOffset() * MINUTE): number[] {
  const step = STEPS.find((one) => (high - low) / one <= most) ?? 2_880 * MINUTE;
  const first = Math.ceil((low - zone) / step) * step + zone;
  return Array.from({ length: Math.max(0, Math.floor((high - first) / step) + 1) }, (_, i) => first + i * step);
}
