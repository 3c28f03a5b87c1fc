/** A pack as the text of its file, as the service writes it; what of it is proposed. Pure. */

import { differences, type Pack, type PackRule } from "./compare";

/** JSON's texts, numbers and lists are TOML's as well. */
function value(given: unknown): string {
  if (typeof given !== "object" || given === null) return JSON.stringify(given).replaceAll("\x7f", "\\u007f");
  if (Array.isArray(given)) return `[${given.map(value).join(", ")}]`;
  return `{ ${Object.entries(given).map(([name, one]) => `${name} = ${value(one)}`).join(", ")} }`;
}

function isEmpty(given: unknown): boolean {
  return given === "" || given === null || given === undefined || (typeof given === "object" && !Object.keys(given).length);
}

function table(fields: object): string {
  return Object.entries(fields).flatMap(([name, one]) => (isEmpty(one) ? [] : [`${name} = ${value(one)}\n`])).join("");
}

export function packText({ id, title, source, rules }: Pick<Pack, "id" | "title" | "source" | "rules">): string {
  return [table({ id, title, source }), ...rules.map((rule) => `[[rule]]\n${table(rule)}`)].join("\n");
}

/** The line of a text (from 1) as a span of characters. */
export function lineSpan(text: string, line: number): [from: number, to: number] {
  const lines = text.split("\n");
  const from = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return [from, from + (lines[line - 1]?.length ?? 0)];
}

const LISTS = new Set(["when", "clear_when", "unless", "inhibits"]);

/** A rule with one field as it was typed: a list has a line for each. */
export function typed(rule: PackRule, field: string, text: string): PackRule {
  const given = LISTS.has(field)
    ? text.split("\n").map((one) => one.trim()).filter(Boolean)
    : field === "min_readings" && /^\d+$/.test(text.trim()) ? Number(text) : text.trim();
  return { ...rule, [field]: given } as PackRule;
}

export function asTyped(rule: PackRule, field: string): string {
  const given = (rule as unknown as Record<string, unknown>)[field];
  return given === null || given === undefined ? "" : Array.isArray(given) ? given.join("\n") : String(given);
}

export type Proposed = { id: string; retired?: true } & Record<string, unknown>;

/** What a draft says of the pack as it was written: new rules first, for others may name them; then what is different; then
 * what shall not be any more. */
export function proposal(before: readonly PackRule[], after: readonly PackRule[]): Proposed[] {
  const found = differences(before, after);
  const whole = (rule: PackRule): Proposed => Object.fromEntries(Object.entries(rule).filter(([, one]) => one !== null && one !== undefined)) as Proposed;
  return [
    ...found.flatMap(({ before: old, after: rule }) => (rule && !old ? [whole(rule)] : [])),
    ...found.flatMap(({ before: old, after: rule }) => (rule && old ? [whole(rule)] : [])),
    ...found.flatMap(({ id, after: rule }) => (rule ? [] : [{ id, retired: true as const }])),
  ];
}
