/** Sentences of a handover. Pure. */

import { nameOf } from "../lib/words";
import type { HandedAlert, HandedPatient } from "../shift/api";
import { t } from "../text";

type At = (time: string) => string;

/** '7', '5+' where it is a lower bound, '?' where it was not known. */
export function scoreWords(score: HandedPatient["news2"]["now"]): string {
  if (!score || score.score === null) return "?";
  return `${score.score}${score.partial ? "+" : ""}`;
}

/** 'High: SpO₂ below 88 % for 10 min, 03:04, nobody has it'. */
export function alertWords(alert: HandedAlert, at: At): string {
  const who = alert.by ?? t.unknown;
  const states: Record<string, string> = {
    acknowledged: t.card.has(who),
    shelved: t.card.shelvedBy(who, alert.shelved_until ? at(alert.shelved_until) : t.unknown),
    returned: t.card.clearedAt(alert.over_at ? at(alert.over_at) : t.unknown),
  };
  const need = t.need[alert.kind === "technical" ? "technical" : alert.priority] ?? alert.priority;
  const raised = alert.raised_at ? `, ${at(alert.raised_at)}` : "";
  return `${need}: ${nameOf(alert)}${raised}, ${states[alert.state] ?? t.card.nobody}`;
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") || "–" : value === null || value === undefined ? "" : `${value as string}`;
}

/** What happened beside alerts, and who did it. */
export function changeWords(change: HandedPatient["changes"][number]): string {
  const { kind, detail, by } = change;
  const said: Record<string, () => string> = {
    moved: () => t.handover.moved(text(detail["from_bed"])),
    flags: () => t.handover.flags(text(detail["before"]), text(detail["after"])),
    paused: () => t.handover.paused(text(t.away.reasons[text(detail["reason"])] ?? detail["reason"])),
    attached: () => t.handover.attached(text(detail["device"])),
    detached: () => t.handover.detached(text(detail["device"])),
  };
  const words = said[kind]?.() ?? t.handover.kinds[kind] ?? kind;
  return by ? `${words} (${by})` : words;
}
