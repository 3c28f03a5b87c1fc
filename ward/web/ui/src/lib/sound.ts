/**
 * What an alarm sounds like, by priority. Pure.
 *
 * After IEC 60601-1-8: a burst of ten pulses for high (3 and 2, twice), three for medium, two for low; a fundamental of
 * 150 to 1000 Hz with at least four harmonics of 300 to 4000 Hz within 15 dB of it. The lengths, distances and pauses
 * lie within that standard's ranges as remembered (from memory: pulses of 75 to 200 ms for high, 125 to 250 ms below;
 * bursts again after 2.5 to 15 s, 2.5 to 30 s, and more than 15 s).
 */

import { untaken, type BedView } from "./board";
import type { Priority } from "./types";

export interface Burst {
  /** When each pulse begins, s. */
  readonly pulses: readonly number[];
  /** How long each is, s. */
  readonly length: number;
  /** Hz. */
  readonly pitch: number;
  /** From the begin of one burst to the next, ms. */
  readonly every: number;
  /** Of 1. */
  readonly volume: number;
}

const FIVE = [0, 0.25, 0.5, 1.0, 1.25];
export const BURSTS: Readonly<Record<Priority, Burst>> = {
  high: { pulses: [...FIVE, ...FIVE.map((at) => at + 1.9)], length: 0.15, pitch: 660, every: 8_000, volume: 0.9 },
  medium: { pulses: [0, 0.4, 0.8], length: 0.2, pitch: 523, every: 15_000, volume: 0.7 },
  low: { pulses: [0, 0.4], length: 0.2, pitch: 440, every: 30_000, volume: 0.5 },
};
/** Of each pulse the fundamental and its harmonics: all within 15 dB (a factor of 5.6) of the first. */
export const PARTIALS: readonly number[] = [1, 0.8, 0.65, 0.5, 0.4, 0.3];
/** Rise and fall, of a pulse's length. */
export const EDGE = 0.15;

/** What each need that nobody has taken sounds like; what is over or technical asks for somebody softly. */
const LOUDNESS: Readonly<Record<string, Priority>> = { high: "high", medium: "medium", low: "low", returned: "low", technical: "low" };
const RANK: Readonly<Record<Priority, number>> = { high: 0, medium: 1, low: 2 };

/** The sound that beds ask for, the most urgent of all; null: silence. */
export function soundFor(views: Iterable<BedView>): Priority | null {
  let found: Priority | null = null;
  for (const view of views) {
    const asked = untaken(view) ? LOUDNESS[view.need] : undefined;
    if (asked && (!found || RANK[asked] < RANK[found])) found = asked;
  }
  return found;
}

/** High alerts that nobody has taken: one that was not there when somebody asked for silence ends that silence. */
export function highOnes(views: Iterable<BedView>): Set<string> {
  const found = new Set<string>();
  for (const { stay } of views) {
    for (const alert of stay.alerts) if (alert.state === "active" && alert.priority === "high" && alert.kind === "physiological") found.add(alert.id);
  }
  return found;
}
