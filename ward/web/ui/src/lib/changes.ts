/** What the stream tells of stays: only what is other than a second ago, and two hours of each signal by the minute. Pure. */

import { ms } from "./clock";
import type { Alert, News2, NewsPart, Pending, SignalView, Stay } from "./types";

/** One stay's: all of it in `view`, or members to replace: of the stay, of its signals, of NEWS2 and its parts, and of each
 * of its devices and of what is pending or raised. */
export interface StayChange {
  id: string;
  view?: Stay;
  set?: Partial<Stay>;
  signals?: Record<string, Partial<SignalView>>;
  parts?: Record<string, Partial<NewsPart>>;
  news2?: Partial<News2>;
  devices?: Record<string, Partial<Stay["devices"][number]>>;
  pending?: Record<string, Partial<Pending>>;
  alerts?: Record<string, Partial<Alert>>;
}

function inside<T extends object>(known: Readonly<Record<string, T>>, told: Record<string, Partial<T>>): Record<string, T> {
  const merged: Record<string, T> = { ...known };
  for (const [name, members] of Object.entries(told)) merged[name] = { ...merged[name], ...members } as T;
  return merged;
}

function each<T extends object>(known: readonly T[], told: Record<string, Partial<T>>, key: (item: T) => string): T[] {
  return known.map((item) => (told[key(item)] ? { ...item, ...told[key(item)] } : item));
}

/** The stay after the change; null for one that was never told whole, whose change says too little. */
export function changed(known: Stay | undefined, told: StayChange, time: string): Stay | null {
  const before = told.view ?? known;
  if (!before) return null;
  const stay: Stay = { ...before, ...told.set, time };
  if (told.signals) stay.signals = inside(stay.signals, told.signals);
  if (stay.news2 && (told.news2 || told.parts)) {
    stay.news2 = { ...stay.news2, ...told.news2, parts: inside(stay.news2.parts, told.parts ?? {}) };
  }
  if (told.devices) stay.devices = each(stay.devices, told.devices, (device) => device.device);
  if (told.pending) stay.pending = each(stay.pending, told.pending, (pending) => pending.id);
  if (told.alerts) stay.alerts = each(stay.alerts, told.alerts, (alert) => alert.id);
  return stay;
}

const MINUTE = 60_000;
export const MINUTES = 120;

/** Values of a stay's signals by the minute, from `from` to `to` (both as the server writes times). */
export interface MinutesTold {
  from: string;
  to: string;
  signals: Record<string, (number | null)[]>;
}

/** The last `MINUTES` of each signal, the newest last; null where nothing valid was measured. */
export interface Lines {
  /** The newest minute (ms). */
  to: number;
  signals: Readonly<Record<string, readonly (number | null)[]>>;
}

const NOTHING: readonly (number | null)[] = Array.from({ length: MINUTES }, () => null);

/** What was told is put over what is known, from its first minute on: also where it now says that there was nothing. */
export function goOn(known: Lines | undefined, told: MinutesTold): Lines {
  const from = ms(told.from) ?? 0;
  const to = Math.max(known?.to ?? 0, ms(told.to) ?? 0);
  const moved = known ? Math.min((to - known.to) / MINUTE, MINUTES) : MINUTES;
  const first = MINUTES - 1 - (to - from) / MINUTE;
  const signals: Record<string, readonly (number | null)[]> = {};
  for (const name of new Set([...Object.keys(known?.signals ?? {}), ...Object.keys(told.signals)])) {
    const values = [...(known?.signals[name] ?? NOTHING).slice(moved), ...NOTHING.slice(0, moved)];
    const length = Math.round(((ms(told.to) ?? 0) - from) / MINUTE) + 1;
    for (let i = Math.max(0, -first); i < length; i++) values[first + i] = told.signals[name]?.[i] ?? null;
    signals[name] = values.slice(0, MINUTES);
  }
  return { to, signals };
}

/** Between what the line of a signal is drawn, if its values do not go beyond: so that a calm line looks calm. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  hr: [50, 110],
  pr: [50, 110],
  spo2: [88, 100],
  rr: [8, 24],
  sbp: [90, 160],
  temp: [36, 38.5],
};

/** An SVG path in a box `MINUTES` wide and `height` high; a gap is a gap, one value alone a dot. */
export function linePath(signal: string, values: readonly (number | null)[], height: number): string {
  const known = values.filter((value) => value !== null);
  const [low, high] = RANGES[signal] ?? [0, 1];
  const least = Math.min(low, ...known);
  const span = Math.max(high, ...known) - least;
  let path = "";
  let joined = false;
  values.forEach((value, i) => {
    if (value === null) {
      joined = false;
      return;
    }
    const at = `${i} ${(height * (1 - (value - least) / span)).toFixed(1)}`;
    const alone = !joined && (values[i + 1] ?? null) === null;
    path += joined ? `L${at}` : `M${at}${alone ? "h.01" : ""}`;
    joined = true;
  });
  return path;
}
