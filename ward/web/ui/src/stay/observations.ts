/** Values that a person measured: what can be, and what is worth a second look before it is saved. Pure. */

import { parseNumber } from "../lib/format";

export interface Field {
  signal: string;
  /** Outside this it cannot be (as the service's ward/signals.py has it). */
  possible: readonly [number, number];
  /** Outside this it may be, and is more often a slip of the finger: asked about, never refused. */
  usual: readonly [number, number];
}

export const FIELDS: readonly Field[] = [
  { signal: "rr", possible: [0, 150], usual: [6, 40] },
  { signal: "temp", possible: [20, 46], usual: [34, 41] },
  { signal: "sbp", possible: [-20, 400], usual: [70, 220] },
  { signal: "dbp", possible: [-20, 400], usual: [30, 120] },
  { signal: "hr", possible: [0, 350], usual: [35, 180] },
  { signal: "spo2", possible: [0, 100], usual: [80, 100] },
];

export interface Checked {
  values: Record<string, number>;
  /** By signal: no number, or one that cannot be. */
  wrong: Record<string, "no-number" | "impossible">;
  surprising: string[];
}

export function check(texts: Readonly<Record<string, string>>): Checked {
  const found: Checked = { values: {}, wrong: {}, surprising: [] };
  for (const { signal, possible, usual } of FIELDS) {
    const text = texts[signal]?.trim() ?? "";
    if (!text) continue;
    const value = parseNumber(text);
    if (value === null) found.wrong[signal] = "no-number";
    else if (value < possible[0] || value > possible[1]) found.wrong[signal] = "impossible";
    else {
      found.values[signal] = value;
      if (value < usual[0] || value > usual[1]) found.surprising.push(signal);
    }
  }
  const { sbp, dbp } = found.values;
  if (sbp !== undefined && dbp !== undefined && sbp <= dbp && !found.surprising.includes("sbp")) found.surprising.push("sbp");
  return found;
}
