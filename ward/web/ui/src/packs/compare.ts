/** Two packs beside each other: which rules differ, and in what. Pure. */

import type { components } from "../lib/api-types";

export type Pack = components["schemas"]["Pack"];
export type PackRule = components["schemas"]["PackRule"];
export type Problem = components["schemas"]["PackProblem"];

export interface Difference {
  id: string;
  /** Null: the rule is not in that pack. */
  before: PackRule | null;
  after: PackRule | null;
  /** The fields in which they differ, where both have it. */
  fields: string[];
}

/** What a rule does; what it is called and why it is so makes no difference to anybody's alerts. */
const FIELDS = ["priority", "kind", "when", "for", "within", "gap", "min_readings", "clear_when", "clear_for", "unless", "inhibits"] as const;

function same(one: unknown, other: unknown): boolean {
  // Left out and empty mean the same.
  const plain = (value: unknown): string => JSON.stringify(Array.isArray(value) && value.length === 0 ? null : (value ?? null));
  return plain(one) === plain(other);
}

/** In the order of `after`, then those that it lacks; rules that do the same are left out. */
export function differences(before: readonly PackRule[], after: readonly PackRule[]): Difference[] {
  const old = new Map(before.map((rule) => [rule.id, rule]));
  const found: Difference[] = [];
  for (const rule of after) {
    const was = old.get(rule.id) ?? null;
    const fields = was ? FIELDS.filter((name) => !same(was[name], rule[name])) : [];
    if (!was || fields.length) found.push({ id: rule.id, before: was, after: rule, fields });
  }
  const kept = new Set(after.map(({ id }) => id));
  return [...found, ...before.filter(({ id }) => !kept.has(id)).map((rule) => ({ id: rule.id, before: rule, after: null, fields: [] }))];
}
