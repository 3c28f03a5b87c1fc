/** What a stack of trends shows, asked for as it is needed: all of the range, and more closely what was zoomed to. */

import type { Series, Vitals } from "../lib/api";
import { Problem } from "../lib/api";
import { t } from "../text";
import { merge } from "./trend-data";

/** Gives the readings of `[from, to)` (ms); `resolution`: bins of so many seconds, null: every reading. */
export type LoadTrend = (from: number, to: number, resolution: number | null) => Promise<Vitals>;

/** Readings of the last minutes are asked for again, because the filter may have resolved them since. */
const OVERLAP_MS = 120_000;

/** A week of every second is more than one answer should hold: it comes a day at a time, the latest first. */
const PIECE_MS = 24 * 3_600_000;

export function split(from: number, to: number, bin: number): [number, number][] {
  const length = bin ? Math.ceil(PIECE_MS / bin) * bin : PIECE_MS;
  const pieces: [number, number][] = [];
  for (let start = from; start < to; start += length) pieces.push([start, Math.min(to, start + length)]);
  return pieces;
}

type Signals = Record<string, Series>;

function joined(old: Signals | null, pieces: [number, number][], found: (Vitals | undefined)[], from: number): Signals {
  let all: Signals = old ?? {};
  found.forEach((vitals, i) => {
    if (!vitals) return;
    const names = new Set([...Object.keys(all), ...Object.keys(vitals.signals)]);
    const start = pieces[i]?.[0] ?? from;
    all = Object.fromEntries([...names].map((name) => [name, merge(all[name], vitals.signals[name] ?? { time: [] }, start, from)]));
  });
  return all;
}

export class TrendHistory {
  signals = $state.raw<Record<string, Series> | null>(null);
  failure = $state("");
  #shown: { from: number; to: number; resolution: number | null } | null = null;
  #bins: number | null = null;
  #asked = 0;

  get resolution(): number | null {
    return this.#bins;
  }

  covers(from: number, to: number): boolean {
    return this.#shown !== null && this.#shown.from <= from && this.#shown.to >= to;
  }

  clear(): void {
    this.#asked++;
    this.#shown = null;
    this.signals = null;
  }

  /** Loads what is missing; `overlap`: how much of the newest is asked for again. */
  async show(load: LoadTrend, from: number, to: number, resolution: number | null, speed = 1): Promise<void> {
    const asked = ++this.#asked;
    const known = this.#shown;
    const goesOn = known !== null && known.resolution === resolution && known.from <= from && from <= known.to;
    const bin = (resolution ?? 0) * 1_000;
    const back = goesOn ? Math.max(from, known.to - OVERLAP_MS * speed) : from;
    // A bin that is cut is another bin.
    const begin = bin ? Math.floor(back / bin) * bin : back;
    const old = goesOn ? this.signals : null;
    const pieces = split(begin, to, bin);
    const found: (Vitals | undefined)[] = pieces.map(() => undefined);
    try {
      for (let i = pieces.length - 1; i >= 0; i--) {
        const [start, end] = pieces[i] ?? [begin, to];
        found[i] = await load(start, end, resolution);
        if (asked !== this.#asked) return;
        this.signals = joined(old, pieces, found, from);
        this.#bins = resolution;
      }
      this.#shown = { from, to, resolution };
      this.failure = "";
    } catch (error) {
      if (asked === this.#asked) this.failure = error instanceof Problem ? error.message : t.errors.load;
    }
  }
}
