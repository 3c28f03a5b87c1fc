/** The map of threshold × duration: cells from a trial's grid, how dark each is, and moving about by keyboard. Pure. */

import type { Setting, TrialAnswer } from "./api";

export interface Cell {
  threshold: number;
  /** ms */
  duration: number;
  setting: Setting;
  /** 0 to 1: how much load, on a scale of ratios. */
  shade: number;
}

export interface Heat {
  thresholds: number[];
  durations: number[];
  /** By row (threshold, the laxest first) and column (duration, rising). */
  rows: (Cell | null)[][];
}

const sorted = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

/** Fewer steps than this from the least to the most are not drawn as if they were all. */
const LEAST_RATIO = 4;

/** Loads differ by factors, so shades do: 0.5 to 1 is as far as 5 to 10. `least`: the smallest above nothing. */
export function shadeOf(load: number, least: number, most: number): number {
  if (load <= 0 || most <= 0) return 0;
  const from = Math.min(least, most / LEAST_RATIO);
  return Math.min(1, 0.12 + (0.88 * Math.log(load / from)) / Math.log(most / from));
}

/** `falling`: the rule looks below its threshold, so that a higher one alerts more: the most alerts are on top. */
export function heatOf(answer: TrialAnswer, falling: boolean): Heat {
  const settings = answer.settings.filter(({ threshold, for: length }) => threshold !== null && length !== null);
  const loads = settings.map(({ alerts_per_day }) => alerts_per_day).filter((load) => load > 0);
  const [least, most] = [Math.min(...loads), Math.max(0, ...loads)];
  const thresholds = sorted(settings.map(({ threshold }) => threshold ?? 0));
  if (falling) thresholds.reverse();
  const durations = sorted(settings.map((one) => (one.for ?? 0) * 1_000));
  const known = new Map(settings.map((one) => [`${one.threshold} ${(one.for ?? 0) * 1_000}`, one]));
  return {
    thresholds,
    durations,
    rows: thresholds.map((threshold) =>
      durations.map((duration) => {
        const setting = known.get(`${threshold} ${duration}`);
        return setting ? { threshold, duration, setting, shade: shadeOf(setting.alerts_per_day, least, most) } : null;
      }),
    ),
  };
}

export function cellAt(heat: Heat | null, threshold: number | null, duration: number): Cell | null {
  if (!heat || threshold === null) return null;
  const row = heat.rows[heat.thresholds.indexOf(threshold)];
  return row?.[heat.durations.indexOf(duration)] ?? null;
}

const MOVES: Readonly<Record<string, readonly [row: number, column: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Where a key leads from a cell; null for keys that lead nowhere. */
export function step(heat: Heat, row: number, column: number, key: string): [row: number, column: number] | null {
  const last = { row: heat.thresholds.length - 1, column: heat.durations.length - 1 };
  if (key === "Home") return [row, 0];
  if (key === "End") return [row, last.column];
  const move = MOVES[key];
  if (!move) return null;
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  return [clamp(row + move[0], last.row), clamp(column + move[1], last.column)];
}
