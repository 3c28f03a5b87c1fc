/** Sentences about alerts. Pure. */

import { ms } from "./clock";
import { age, clock, countdown, duration, fill, pretty } from "./format";
import { timeLeft, type Thing } from "./board";
import { trustOf, unitOf, valueText, type NewsShown } from "./signals";
import type { View } from "./state";
import { language, t } from "../text";
import type { Alert, Named, Stay } from "./types";

/** What an alert or a rule is called in the chosen language; as it was named where nobody translated it. */
export function nameOf(named: Named): string {
  return pretty(named.titles?.[language()] ?? named.title);
}

/** Flags of a patient, as short as a card has room for; a hospital's own as it wrote them. */
export function flagsWords(flags: readonly string[]): string {
  return flags.map((flag) => t.flagsShort[flag] ?? flag).join(", ");
}

export function titleOf(thing: Thing): string {
  return nameOf(thing.alert ?? thing.pending);
}

export function sinceWords(since: number, now: number): string {
  return t.card.since(clock(since, now), duration(now - since));
}

/** Why the service is not as it should be: as it says itself, in English; else which of its parts fail. */
export function faultWords(view: Pick<View, "reasons" | "failing">): string {
  if (language() === "en" || !view.failing.length) return view.reasons.join(" · ");
  return view.failing.map((part) => t.parts[part] ?? fill(t.partFails, { part })).join(" · ");
}

/** Since when; of what is over, from when to when. */
export function spanWords(alert: Pick<Alert, "breach_since" | "raised_at" | "cleared_at"> & { state: string }, now: number): string {
  const since = ms(alert.breach_since) ?? ms(alert.raised_at) ?? now;
  const cleared = ms(alert.cleared_at);
  const over = cleared !== null && (alert.state === "returned" || alert.state === "closed");
  return over ? t.card.fromTo(clock(since, now), clock(cleared, now), duration(cleared - since)) : sinceWords(since, now);
}

/** Who has it: the question that everybody at the board asks. */
export function whoHas(alert: Alert, now: number): string {
  switch (alert.state) {
    case "acknowledged":
      return has(alert);
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

/** Given by somebody and not confirmed is not the same as taken. */
function has(alert: Alert): string {
  const who = alert.acknowledged_by ?? t.unknown;
  return alert.handed_over_by ? t.card.hasUnconfirmed(who, alert.handed_over_by) : t.card.has(who);
}

/** Somebody could not be told, and nobody has taken it yet. */
export function isUndelivered(alert: Alert): boolean {
  return (alert.undelivered ?? []).length > 0 && (alert.state === "active" || alert.state === "returned");
}

/** The same in a word or two, for the lines below the worst thing. */
export function whoShort(alert: Alert): string {
  if (alert.state === "acknowledged") return has(alert);
  if (alert.state === "shelved") return t.need["shelved"] ?? "";
  return alert.state === "returned" ? (t.need["returned"] ?? "") : "";
}

export function pendingWords(thing: Thing, now: number): string {
  if (!thing.pending) return "";
  if (thing.pending.held_by) return t.card.heldBack;
  const left = timeLeft(thing.pending, now);
  return left === null ? t.unknown : t.card.pending(countdown(left));
}

/** How a signal of an alert is now: 'SpO₂ 84 %', or that it is not known. */
function nowWords(signal: string, stay: Stay, now: number, speed: number): string {
  const name = t.short[signal] ?? t.signals[signal] ?? signal;
  if (signal === "news2") return `${name} ${stay.news2?.score ?? t.unknown}`;
  const view = stay.signals[signal];
  const trust = trustOf(view, now, speed);
  if (!view || trust === "unknown" || trust === "stale") {
    // A pulse stands in for a heart rate that is not known, as in the rules.
    const standsIn = signal === "hr" && ["fresh", "questionable"].includes(trustOf(stay.signals["pr"], now, speed));
    return standsIn ? nowWords("pr", stay, now, speed) : `${name} ${t.unknown}`;
  }
  const unit = unitOf(signal);
  return `${name}\u00a0${valueText(signal, view.value)}${unit === "%" || unit === "°C" ? `\u00a0${unit}` : ""}`;
}

/**
 * The worst thing of a bed in words: 'SpO₂ 84 % for 12 min, falling'. The value is that of now; once the condition is
 * over, or nothing is measured, the words say what it was. Technical ones, and scores that are no signal, by their name.
 */
export function headline(thing: Thing, stay: Stay, now: number, speed: number): string {
  const source = thing.alert ?? thing.pending;
  const signals = thing.alert?.signals?.length ? thing.alert.signals : source.signal ? [source.signal] : [];
  if (source.kind === "technical" || !signals.length || signals.some((name) => !SPOKEN.has(name))) return titleOf(thing);
  const first = signals[0] ?? "";
  const what = signals.slice(0, 2).map((signal) => nowWords(signal, stay, now, speed)).join(", ");
  const isUnknown = signals.slice(0, 2).some((signal) => nowWords(signal, stay, now, speed).endsWith(t.unknown));
  const isOver = thing.alert?.state === "returned" || thing.alert?.in_breach === false;
  const value = thing.alert?.value ?? null;
  const was = value === null ? "" : valueText(first, value);
  if (was && isOver) return t.card.over(nowWords(first, stay, now, speed), was);
  if (was && isUnknown) return t.card.lost(nowWords(first, stay, now, speed), was);
  const trend = stay.signals[first]?.trend;
  const way = trend && trustOf(stay.signals[first], now, speed) === "fresh" ? (t.trends[trend] ?? "") : "";
  // A number never stands on another line than its unit.
  return t.card.worst(what, duration(now - thing.since).replaceAll(" ", "\u00a0"), way);
}

/** Signals whose value now says why there is an alert. */
const SPOKEN: ReadonlySet<string> = new Set(["hr", "pr", "spo2", "rr", "sbp", "dbp", "map", "temp", "news2"]);

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
