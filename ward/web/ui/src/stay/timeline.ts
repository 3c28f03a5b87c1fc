/** What happened to a stay, newest first, from its log. Pure. */

import { eventWords } from "../admit/log";
import { ms } from "../lib/clock";
import { clock, plain } from "../lib/format";
import { labelOf, unitOf, valueText } from "../lib/signals";
import { nameOf } from "../lib/words";
import type { Priority, StayEvent } from "../lib/types";
import { t } from "../text";

export interface Happening {
  seq: number;
  at: number;
  kind: string;
  /** The alert's; empty for what is no alert's. */
  title: string;
  words: string;
  priority: Priority | null;
  technical: boolean;
  by: string | null;
  detail: string;
}

/** What says nothing to anybody at the bed: it follows from another line. */
const PASSED_OVER: ReadonlySet<string> = new Set(["notified", "suppressed", "sustained", "episode-ended", "moved", "rule-changed"]);

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function until(value: unknown, now: number): string {
  const at = typeof value === "number" ? value : ms(text(value));
  return at ? t.stay.until(clock(at, now)) : "";
}

function assessment(value: unknown): string {
  return t.act.assessments.find(([name]) => name === value)?.[1] ?? "";
}

function valueOf(signal: string, value: unknown): string {
  if (signal === "consciousness" || signal === "oxygen") return valueText(signal, value as string | boolean);
  return `${labelOf(signal)} ${typeof value === "number" ? plain(value) : text(value)} ${unitOf(signal)}`.trim();
}

function detailOf(event: StayEvent, now: number): string {
  const detail = event.detail ?? {};
  switch (event.kind) {
    case "observed":
      return Object.entries(detail)
        .filter(([signal]) => signal !== "time")
        .map(([signal, value]) => valueOf(signal, value))
        .join(", ");
    case "shelved":
      return [until(detail["shelved_until"], now), text(detail["shelve_reason"])].filter(Boolean).join(", ");
    case "paused":
      return until(detail["until"], now);
    case "handed-over":
      return [t.stay.to(text(detail["to"])), text(detail["note"])].filter(Boolean).join(", ");
    case "not-delivered":
      return text(detail["person"]);
    default:
      return [assessment(detail["assessment"]), text(detail["note"])].filter(Boolean).join(", ");
  }
}

export function timeline(events: readonly StayEvent[], now: number): Happening[] {
  return events.flatMap((event) => {
    const at = ms(event.at);
    const own = event.alert === null ? eventWords({ ...event, by: null }) && eventWords(event) : "";
    if (at === null || (event.alert !== null && PASSED_OVER.has(event.kind))) return [];
    const known = t.stay.events[event.detail?.["late"] === true && event.kind === "raised" ? "late" : event.kind];
    if (!known && !own) return [];
    const named = event.title ? { title: event.title, ...(event.titles ? { titles: event.titles } : {}) } : null;
    return [
      {
        seq: event.seq,
        at,
        kind: event.kind,
        title: event.alert && named ? nameOf(named) : "",
        words: known ?? own,
        priority: event.priority ?? null,
        technical: event.of === "technical",
        by: known ? event.by : null,
        detail: detailOf(event, now),
      },
    ];
  });
}
