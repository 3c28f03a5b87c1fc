/** How each signal is shown: order, names, decimals; and how far its value can be trusted now. */

import { ms } from "./clock";
import { number } from "./format";
import { t } from "../text";
import type { SignalView, Stay } from "./types";

export type Trust = "fresh" | "questionable" | "stale" | "unknown";

export interface Shown {
  /** The signals that this cell stands for; the first one names it. */
  signals: string[];
  label: string;
  text: string;
  unit: string;
  trust: Trust;
  /** Of the oldest value in the cell, ms; null when unknown. */
  age: number | null;
  reason: string | null;
}

export const DECIMALS: Readonly<Record<string, number>> = { temp: 1, pi: 1, risk: 2 };

export function unitOf(signal: string): string {
  return t.units[signal] ?? "";
}

export function labelOf(signal: string): string {
  return t.signals[signal] ?? signal;
}

export function valueText(signal: string, value: number | string | boolean | null): string {
  if (value === null) return t.unknown;
  if (signal === "oxygen") return value === true || value === 1 ? t.onOxygen : t.onAir;
  if (signal === "consciousness") {
    const letter = typeof value === "number" ? "ACVPU"[value] : String(value);
    return t.consciousness[letter ?? ""] ?? String(value);
  }
  return typeof value === "number" ? number(value, DECIMALS[signal] ?? 0) : String(value);
}

/** Lateness (2 s), the filter's longest wait (15 s) and the time until NOT LIVE (8 s), in real time. */
const GRACE_MS = 25_000;

/** The server says what is stale. The page says so too once a hold has long run out and no newer view came. */
export function trustOf(view: SignalView | undefined, now: number, speed: number): Trust {
  if (!view || view.value === null) return "unknown";
  if (view.state === "stale") return "stale";
  const time = ms(view.time);
  if (time === null || now >= time + view.hold_s * 1_000 + GRACE_MS * speed) return "stale";
  return view.state === "questionable" ? "questionable" : "fresh";
}

function single(stay: Stay, signal: string, now: number, speed: number): Shown {
  const view = stay.signals[signal];
  const trust = trustOf(view, now, speed);
  const time = view ? ms(view.time) : null;
  return {
    signals: [signal],
    label: t.short[signal] ?? labelOf(signal),
    text: view && trust !== "unknown" ? valueText(signal, view.value) : t.unknown,
    unit: unitOf(signal),
    trust,
    age: trust === "unknown" || time === null ? null : Math.max(0, now - time),
    reason: view?.reason ?? null,
  };
}

const WORSE: Readonly<Record<Trust, number>> = { fresh: 0, questionable: 1, stale: 2, unknown: 3 };

/** Heart rate; the pulse, named as such, where it stands in for a heart rate that is not known. */
function heart(stay: Stay, now: number, speed: number): Shown {
  const hr = single(stay, "hr", now, speed);
  const pr = single(stay, "pr", now, speed);
  return WORSE[hr.trust] >= WORSE.stale && WORSE[pr.trust] < WORSE[hr.trust] ? pr : hr;
}

/** Blood pressure as one cell, as trustworthy as its worse part. */
function pressure(stay: Stay, now: number, speed: number): Shown {
  const sbp = single(stay, "sbp", now, speed);
  const dbp = single(stay, "dbp", now, speed);
  if (sbp.trust === "unknown") {
    const mean = single(stay, "map", now, speed);
    return mean.trust === "unknown" ? { ...sbp, label: t.short["bp"] ?? "BP" } : mean;
  }
  const worse = dbp.trust !== "unknown" && WORSE[dbp.trust] > WORSE[sbp.trust] ? dbp : sbp;
  return {
    signals: ["sbp", "dbp", "map"],
    label: t.short["bp"] ?? "BP",
    text: `${sbp.text}/${dbp.trust === "unknown" ? "–" : dbp.text}`,
    unit: sbp.unit,
    trust: worse.trust,
    age: Math.max(sbp.age ?? 0, dbp.age ?? 0),
    reason: worse.reason,
  };
}

/** The cells of a bed, always the same ones in the same place. */
export function vitals(stay: Stay, now: number, speed: number): Shown[] {
  return [
    heart(stay, now, speed),
    single(stay, "spo2", now, speed),
    single(stay, "rr", now, speed),
    pressure(stay, now, speed),
    single(stay, "temp", now, speed),
  ];
}

export interface NewsShown {
  /** '5', '5+' when it is a lower bound, or 'unknown'. */
  text: string;
  score: number | null;
  missing: string[];
  stale: string[];
  /** Of the oldest stale part, ms. */
  staleAge: number | null;
  /** Why this patient has none, in words; empty where it is for her. */
  notFor: string;
}

export function news(stay: Stay, now: number, speed: number): NewsShown {
  const own = stay.news2;
  if (own?.not_applicable) {
    const notFor = t.newsNotFor[own.not_applicable] ?? own.not_applicable;
    return { text: t.newsNone, score: null, missing: [], stale: [], staleAge: null, notFor };
  }
  if (!own || own.score === null) {
    return { text: t.unknown, score: null, missing: own?.missing ?? [], stale: own?.stale ?? [], staleAge: null, notFor: "" };
  }
  const stale = new Set(own.stale);
  let staleAge: number | null = null;
  for (const [part, { time, stale: told }] of Object.entries(own.parts)) {
    const view = stay.signals[part];
    const standIn = part === "hr" && trustOf(stay.signals["pr"], now, speed) === "fresh";
    if (told || (view && !standIn && trustOf(view, now, speed) === "stale")) stale.add(part);
    const at = ms(time);
    if (stale.has(part) && at !== null) staleAge = Math.max(staleAge ?? 0, now - at);
  }
  const partial = own.partial || own.missing.length > 0;
  return {
    text: `${own.score}${partial ? "+" : ""}`,
    score: own.score,
    missing: own.missing,
    stale: [...stale].filter((part) => !own.missing.includes(part)),
    staleAge,
    notFor: "",
  };
}
