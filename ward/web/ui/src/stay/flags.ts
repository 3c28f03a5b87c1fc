/** Flags of a stay and what they do, in words. Pure. */

import { nameOf } from "../lib/words";
import type { Rule } from "../lib/types";
import { t } from "../text";

export const KNOWN: readonly string[] = ["copd", "bmi40", "spo2-scale-2", "under-16", "pregnant"];

export function flagName(flag: string): string {
  return t.flags.names[flag] ?? flag;
}

/** Every flag worth offering: known ones, what rules look at, what the stay has. */
export function offered(own: readonly string[], rules: readonly Rule[]): string[] {
  return [...new Set([...KNOWN, ...rules.flatMap(({ unless }) => unless ?? []), ...own])];
}

export interface Effect {
  /** What it does to scores. */
  words: string | null;
  /** The rules that do not watch with it. */
  off: string[];
}

export function effectOf(flag: string, rules: readonly Rule[]): Effect {
  return { words: t.flags.effects[flag] ?? null, off: rules.filter(({ unless }) => unless?.includes(flag)).map(nameOf) };
}
