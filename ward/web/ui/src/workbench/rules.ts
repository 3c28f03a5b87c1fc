/** A rule that somebody moves: from its text to numbers on sliders, and back to what shall be different. Pure. */

import { number, plain } from "../lib/format";
import { DECIMALS, labelOf, unitOf } from "../lib/signals";
import type { Rule } from "../lib/types";
import { t } from "../text";

export interface FullRule extends Rule {
  for: string;
  within?: string | null;
  gap?: string | null;
  min_readings?: number;
  clear_when?: string[];
  clear_for: string;
  unless?: string[];
  scope: string;
  version: number;
  by: string | null;
  at: string | null;
}

export interface Clause {
  signal: string;
  op: "<" | "<=" | ">" | ">=";
  number: number;
}

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** How long a reading counts where its device declares nothing (ms), as `ward/signals.py` has it. */
export const HOLDS: Readonly<Record<string, number>> = {
  hr: 90 * SECOND,
  pr: 90 * SECOND,
  spo2: 90 * SECOND,
  rr: 90 * SECOND,
  pi: 90 * SECOND,
  sbp: 65 * MINUTE,
  dbp: 65 * MINUTE,
  map: 65 * MINUTE,
  temp: 8 * HOUR,
};

const CLAUSE = /^\s*(\w+)\s*(<=|>=|<|>)\s*(-?[\d.]+)\s*$/;
const LENGTH = /^(\d+(?:\.\d+)?)([smh])$/;
const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR };

/** Null for `signal absent`, which has no number to move. */
export function parseClause(text: string): Clause | null {
  const found = CLAUSE.exec(text);
  return found ? { signal: found[1] ?? "", op: found[2] as Clause["op"], number: Number(found[3]) } : null;
}

export function formatClause({ signal, op, number }: Clause): string {
  return `${signal} ${op} ${number}`;
}

/** '90s', '10m', '1.5h' as ms. */
export function toMs(text: string): number {
  const found = LENGTH.exec(text);
  return found ? Math.round(Number(found[1]) * (UNITS[found[2] ?? ""] ?? 0)) : 0;
}

export function toText(length: number): string {
  if (length % HOUR === 0) return `${length / HOUR}h`;
  return length % MINUTE === 0 ? `${length / MINUTE}m` : `${length / SECOND}s`;
}

/** What can be moved. `thresholds`: one a clause, null where the clause has no number. Durations in ms. */
export interface Edit {
  thresholds: (number | null)[];
  for: number;
  within: number | null;
  gap: number | null;
  clearFor: number;
  minReadings: number;
}

export function editOf(rule: FullRule): Edit {
  return {
    thresholds: rule.when.map((text) => parseClause(text)?.number ?? null),
    for: toMs(rule.for),
    within: rule.within ? toMs(rule.within) : null,
    gap: rule.gap ? toMs(rule.gap) : null,
    clearFor: toMs(rule.clear_for),
    minReadings: rule.min_readings ?? 2,
  };
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/** The fields that differ from the rule in force; what clears it keeps its distance to the threshold. */
export function changeOf(rule: FullRule, edit: Edit): Record<string, unknown> {
  const before = editOf(rule);
  const change: Record<string, unknown> = {};
  const by = new Map<string, number>();
  rule.when.forEach((text, i) => {
    const clause = parseClause(text);
    const moved = edit.thresholds[i];
    if (clause && moved !== null && moved !== undefined && moved !== clause.number) by.set(clause.signal, rounded(moved - clause.number));
  });
  if (by.size) {
    change["when"] = rule.when.map((text, i) => {
      const clause = parseClause(text);
      return clause ? formatClause({ ...clause, number: edit.thresholds[i] ?? clause.number }) : text;
    });
    if (rule.clear_when?.length) {
      change["clear_when"] = rule.clear_when.map((text) => {
        const clause = parseClause(text);
        return clause && by.has(clause.signal) ? formatClause({ ...clause, number: rounded(clause.number + (by.get(clause.signal) ?? 0)) }) : text;
      });
    }
  }
  if (edit.for !== before.for) change["for"] = toText(edit.for);
  const within = edit.within !== null && edit.within < edit.for ? edit.for : edit.within;
  if (within !== before.within && within !== null) change["within"] = toText(within);
  if (edit.gap !== before.gap && edit.gap !== null) change["gap"] = toText(edit.gap);
  if (edit.clearFor !== before.clearFor) change["clear_for"] = toText(edit.clearFor);
  if (edit.minReadings !== before.minReadings) change["min_readings"] = edit.minReadings;
  return change;
}

/** [lowest, highest, step] of a slider; [step] of the map is coarser where one unit hardly matters. */
const RANGES: Readonly<Record<string, readonly [low: number, high: number, step: number, map: number]>> = {
  spo2: [70, 100, 1, 1],
  hr: [20, 200, 1, 5],
  pr: [20, 200, 1, 5],
  rr: [2, 50, 1, 1],
  sbp: [50, 250, 1, 5],
  dbp: [20, 150, 1, 5],
  map: [30, 160, 1, 5],
  temp: [33, 42, 0.1, 0.2],
  pi: [0, 10, 0.1, 0.2],
  news2: [0, 20, 1, 1],
  risk: [0, 1, 0.01, 0.01],
};

export function rangeOf(signal: string, value: number): { low: number; high: number; step: number } {
  const [low, high, step] = RANGES[signal] ?? [value - 50, value + 50, 1, 1];
  return { low: Math.min(low, value), high: Math.max(high, value), step };
}

const LADDER = [10, 20, 30, 60, 120, 180, 300, 480, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400, 7_200, 14_400].map((s) => s * SECOND);
const MAP_LADDER = [1, 2, 5, 10, 15, 20, 30, 60].map((minutes) => minutes * MINUTE);

const sorted = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

/** The steps of a slider of durations; what is in force, or was typed, is always one of them. */
export function ladder(...own: number[]): number[] {
  return sorted([...LADDER, ...own.filter((ms) => ms > 0)]);
}

export interface GridAxes {
  thresholds: number[];
  durations: number[];
}

/** The map's rows and columns around what is in force. */
export function gridAxes(signal: string, present: Edit, at: number): GridAxes {
  const now = present.thresholds[at] ?? 0;
  const [low, high, , step] = RANGES[signal] ?? [-Infinity, Infinity, 1, 1];
  const around = Array.from({ length: 9 }, (_, i) => rounded(now + (i - 4) * step));
  return {
    thresholds: around.filter((value) => value >= low && value <= high),
    // A rule that looks for so much within a time cannot look for more than that time.
    durations: sorted([...MAP_LADDER, present.for]).filter((ms) => present.within === null || ms <= present.within),
  };
}

/** Which threshold the map moves: of the first clause with a number whose signal no other clause compares. */
export function movable(rule: FullRule): { at: number; clause: Clause } | null {
  const clauses = rule.when.map(parseClause);
  for (const [at, clause] of clauses.entries()) {
    if (clause && clauses.filter((other) => other?.signal === clause.signal).length === 1) return { at, clause };
  }
  return null;
}

const SIGNS: Readonly<Record<string, string>> = { "<": "<", "<=": "≤", ">": ">", ">=": "≥" };

/** 'SpO₂ < 88 %'. */
export function clauseWords(text: string): string {
  const clause = parseClause(text);
  if (!clause) return t.workbench.absent(labelOf(text.split(" ")[0] ?? ""));
  const unit = unitOf(clause.signal);
  return `${labelOf(clause.signal)} ${SIGNS[clause.op]} ${plain(clause.number)}${unit ? ` ${unit}` : ""}`;
}

/** '90 s', '10 min', '1.5 h'. */
export function lengthWords(length: number): string {
  if (length < MINUTE || length % MINUTE) return `${plain(length / SECOND)} ${t.time.s}`;
  return length < HOUR || length % (HOUR / 2) ? `${plain(length / MINUTE)} ${t.time.min}` : `${plain(length / HOUR)} ${t.time.h}`;
}

/** Of what was measured: to the minute, once it is some. */
export function aboutWords(length: number): string {
  if (length < 3 * MINUTE) return lengthWords(Math.max(1, Math.round(length / SECOND)) * SECOND);
  return length < 2 * HOUR ? lengthWords(Math.round(length / MINUTE) * MINUTE) : lengthWords(Math.round(length / (HOUR / 2)) * (HOUR / 2));
}

/** What a rule says, in a line. */
export function ruleWords(rule: { when: string[]; for: string; within?: string | null | undefined }): string {
  const within = rule.within && rule.within !== rule.for ? lengthWords(toMs(rule.within)) : "";
  const condition = rule.when.map(clauseWords).join(` ${t.workbench.and} `);
  return within ? t.workbench.sentenceWithin(condition, lengthWords(toMs(rule.for)), within) : t.workbench.sentence(condition, lengthWords(toMs(rule.for)));
}

export function thresholdText(signal: string, value: number): string {
  return number(value, DECIMALS[signal] ?? 0);
}
