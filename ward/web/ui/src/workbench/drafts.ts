/** Words of drafts. Pure. */

import { t } from "../text";
import type { ShortDraft } from "./api";
import { clauseWords, lengthWords, toMs } from "./rules";

/** `stays`: those on the board; a patient who has left is shown by her id. */
export function scopeWords(scope: string, stays: ReadonlyMap<string, { ward: string; bed: string }>): string {
  const [kind = "", ...rest] = scope.split(":");
  const name = rest.join(":");
  if (kind === "all") return t.drafts.scope["all"] ?? kind;
  const stay = kind === "stay" ? stays.get(name) : undefined;
  return `${t.drafts.scope[kind] ?? kind} ${stay ? t.workbench.stay(stay.ward, stay.bed) : name}`;
}

export interface Difference {
  field: string;
  before: string;
  after: string;
}

const SHOWN = ["when", "for", "within", "gap", "min_readings", "clear_when", "clear_for", "priority", "kind", "title", "unless", "inhibits"];
const LENGTHS = new Set(["for", "within", "gap", "clear_for"]);
const CONDITIONS = new Set(["when", "clear_when"]);

function words(field: string, value: unknown): string {
  if (value === undefined || value === null) return "–";
  if (LENGTHS.has(field)) return lengthWords(toMs(String(value)));
  if (!Array.isArray(value)) return field === "priority" ? (t.workbench.priorities[String(value)] ?? String(value)) : String(value);
  const listed = value.map((one) => (CONDITIONS.has(field) ? clauseWords(String(one)) : String(one)));
  return listed.length ? listed.join(CONDITIONS.has(field) ? ` ${t.workbench.and} ` : ", ") : "–";
}

/** What is different, field by field; of a new rule all that it says. */
export function differences({ base, after }: Pick<ShortDraft["changes"][number], "base" | "after">): Difference[] {
  if (!after) return [];
  const [old, fresh] = [base as unknown as Record<string, unknown> | null, after as unknown as Record<string, unknown>];
  return SHOWN.flatMap((field) => {
    const [before, then] = [old?.[field], fresh[field]];
    if (JSON.stringify(before ?? null) === JSON.stringify(then ?? null)) return [];
    return [{ field, before: words(field, before), after: words(field, then) }];
  });
}
