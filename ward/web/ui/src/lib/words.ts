/** Sentences about alerts. Pure. */

import { ms } from "./clock";
import { age, clock, countdown, duration, pretty } from "./format";
import { timeLeft, type Thing } from "./board";
import { unitOf, valueText, type NewsShown } from "./signals";
import { language, t } from "../text";
import type { Alert, Named, Stay } from "./types";

/** What an alert or a rule is called in the chosen language; as it was named where nobody translated it. */
export function nameOf(named: Named): string {
  return pretty(named.titles?.[language()] ?? named.title);
}

export function titleOf(thing: Thing): string {
  return nameOf(thing.alert ?? thing.pending);
}

export function sinceWords(since: number, now: number): string {
  return t.card.since(clock(since, now), duration(now - since));
}

/** Who has it: the question that everybody at the board asks. */
export function whoHas(alert: Alert, now: number): string {
  switch (alert.state) {
    case "acknowledged":
      return t.card.has(alert.acknowledged_by ?? t.unknown);
    case "shelved": {
      const until = ms(alert.shelved_until);
      return t.card.shelvedBy(alert.shelved_by ?? t.unknown, until === null ? t.unknown : clock(until, now));
    }
    case "returned": {
      const cleared = ms(alert.cleared_at);
      return t.card.clearedAt(cleared === null ? t.unknown : clock(cleared, now));
    }
    default:
      return t.card.nobody;
  }
}

/** Somebody could not be told, and nobody has taken it yet. */
export function isUndelivered(alert: Alert): boolean {
  return (alert.undelivered ?? []).length > 0 && (alert.state === "active" || alert.state === "returned");
}

/** The same in a word or two, for the lines below the worst thing. */
export function whoShort(alert: Alert): string {
  if (alert.state === "acknowledged") return t.card.has(alert.acknowledged_by ?? t.unknown);
  if (alert.state === "shelved") return t.need["shelved"] ?? "";
  return alert.state === "returned" ? (t.need["returned"] ?? "") : "";
}

export function pendingWords(thing: Thing, stay: Stay, now: number): string {
  if (!thing.pending) return "";
  const left = timeLeft(thing.pending, stay, now);
  return left === null ? t.unknown : t.card.pending(countdown(left));
}

/** What a partial or stale score lacks: 'no ACVPU, O₂ · stale temp 9 h'. Empty when it lacks nothing. */
export function newsLacks(news: NewsShown): string {
  const names = (parts: string[]): string => parts.map((part) => t.newsParts[part] ?? part).join(", ");
  const words: string[] = [];
  if (news.notFor) return news.notFor;
  if (news.missing.length >= 7) return t.card.nothingKnown;
  if (news.missing.length) words.push(t.card.missing(names(news.missing)));
  if (news.stale.length) {
    words.push(t.card.stale(names(news.stale), news.staleAge === null ? "" : duration(news.staleAge)).trim());
  }
  return words.join(" · ");
}

export function valueWords(signal: string | null, value: number | null): string {
  if (!signal || value === null) return "";
  const unit = unitOf(signal);
  return `${t.signals[signal] ?? signal} ${valueText(signal, value)}${unit ? ` ${unit}` : ""}`;
}

export function agoWords(time: string | null | undefined, now: number): string {
  const at = ms(time);
  return at === null ? t.unknown : age(now - at);
}
