/** The deterioration score in words. Never a bare number: always with its interval, its age and its reasons. */

import { t } from "../text";
import { ms } from "./clock";
import { duration, fill, number, pretty, shortAge } from "./format";
import { labelOf, unitOf, valueText } from "./signals";
import type { RiskScore } from "./types";

/** Less than this, in log-odds, is not worth a line. */
const WORTH = 0.1;
const DECIMALS = 2;

export interface RiskShown {
  known: boolean;
  text: string;
  range: string;
  /** How that compares with the hours it was learned from: a small number may be a high one. */
  standing: string;
  age: string;
  up: string[];
  down: string[];
  lacks: string;
}

/** Null where there is no model: then there is nothing to show. */
export function riskWords(risk: RiskScore, now: number): RiskShown | null {
  if (risk.state === "no-model") return null;
  const at = ms(risk.computed_at ?? null);
  const { value, low, high } = risk;
  const known = risk.state === "known" && value != null && low != null && high != null;
  const reasons = known ? (risk.contributions ?? []).filter(({ log_odds }) => Math.abs(log_odds) >= WORTH) : [];
  const words = (sign: number): string[] => reasons.filter(({ log_odds }) => log_odds * sign > 0).map(seenWords);
  return {
    known,
    text: known ? small(value) : risk.state === "not-applicable" ? t.newsNone : t.risk.unknown,
    range: known ? t.risk.range(small(low), small(high)) : "",
    standing: known && risk.above != null ? t.risk.standing(risk.above) : "",
    age: at === null ? "" : t.risk.age(shortAge(now - at)),
    up: words(1),
    down: words(-1),
    lacks: risk.state === "not-applicable" ? t.risk.notFor : risk.missing?.length ? t.risk.lacks(risk.missing.map((name) => pretty(t.signals[name] ?? name))) : "",
  };
}

/** What is seen of a signal, in the chosen language; as the service says it where it says no more. */
function seenWords({ words, seen }: NonNullable<RiskScore["contributions"]>[number]): string {
  if (!seen) return pretty(words);
  const { signal, course, value, before, hours, away, typical } = seen;
  const told = (measured: number | null | undefined): string => (measured == null ? t.unknown : valueText(signal, measured));
  const unit = unitOf(signal) ? ` ${unitOf(signal)}` : "";
  const params = {
    name: labelOf(signal),
    value: `${told(value)}${unit}`,
    before: told(before),
    hours: duration((hours ?? 0) * 3_600_000),
    typical: told(typical),
  };
  return [t.risk.seen[course], away && t.risk.seen[away]].flatMap((sentence) => (sentence ? [fill(sentence, params)] : [])).join(", ");
}

/** Two decimals; what would read as none or all of it is said as less or more. */
function small(value: number): string {
  const least = 10 ** -DECIMALS;
  if (value < least / 2) return `< ${number(least, DECIMALS)}`;
  if (value > 1 - least / 2) return `> ${number(1 - least, DECIMALS)}`;
  return number(value, DECIMALS);
}
