/** What a stack of trends shows, asked for as it is needed: all of the range, and more closely what was zoomed to. */

import type { Series, Vitals } from "../lib/api";
import { Problem } from "../lib/api";
import { t } from "../text";
import { merge } from "./trend-data";

/** Gives the readings of `[from, to)` (ms); `resolution`: bins of so many seconds, null: every reading. */
export type LoadTrend = (from: number, to: number, resolution: number | null) => Promise<Vitals>;

/** Readings of the last minutes are asked for again, because the filter may have resolved them since. */
const OVERLAP_MS = 120_000;

export class TrendHistory {
  signals = $state.raw<Record<string, Series> | null>(null);
  failure = $state("");
  #shown: { from: number; to: number; resolution: number | null } | null = null;
  #asked = 0;

  get resolution(): number | null {
    return this.#shown?.resolution ?? null;
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
    try {
      const fresh = await load(begin, to, resolution);
      if (asked !== this.#asked) return;
      const old = goesOn ? this.signals : null;
      const names = new Set([...Object.keys(old ?? {}), ...Object.keys(fresh.signals)]);
      this.signals = Object.fromEntries([...names].map((name) => [name, merge(old?.[name], fresh.signals[name] ?? { time: [] }, begin, from)]));
      this.#shown = { from, to, resolution };
      this.failure = "";
    } catch (error) {
      if (asked === this.#asked) this.failure = error instanceof Problem ? error.message : t.errors.load;
    }
  }
}
