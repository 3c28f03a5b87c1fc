/** Small builders, so that a test says only what it is about. */

import type { Alert, Pending, SignalView, Stay } from "../src/lib/types";

export const NOW = Date.parse("2026-11-21T03:00:00Z");
export const MINUTE = 60_000;
export const at = (msAgo: number): string => new Date(NOW - msAgo).toISOString();

export function alert(more: Partial<Alert> = {}): Alert {
  return {
    id: "a1",
    stay: "s1",
    ward: "4B",
    bed: "1",
    rule: "spo2-below-88",
    title: "SpO2 below 88 % for 10 min",
    priority: "high",
    kind: "physiological",
    state: "active",
    signal: "spo2",
    value: 86,
    breach_since: at(14 * MINUTE),
    raised_at: at(4 * MINUTE),
    acknowledged_at: null,
    acknowledged_by: null,
    cleared_at: null,
    ...more,
  };
}

export function pending(more: Partial<Pending> = {}): Pending {
  return {
    id: "p1",
    rule: "rr-24",
    title: "RR 24 or more for 5 min",
    priority: "medium",
    kind: "physiological",
    state: "pending",
    since: at(2 * MINUTE),
    left_s: 180,
    signal: "rr",
    value: 26,
    ...more,
  };
}

export function signal(more: Partial<SignalView> = {}): SignalView {
  return { value: 82, unit: "1/min", time: at(1_000), state: "fresh", device: "mon-1", reason: null, hold_s: 90, ...more };
}

export function stay(more: Partial<Stay> = {}): Stay {
  return {
    id: "s1",
    ward: "4B",
    bed: "1",
    patient_ref: null,
    admitted_at: at(60 * MINUTE),
    discharged_at: null,
    flags: [],
    paused_until: null,
    devices: [{ device: "mon", since: at(MINUTE), until: null, online: true, last_seen_at: at(0), offset_s: 0 }],
    signals: {},
    news2: null,
    risk: null,
    alerts: [],
    pending: [],
    priority: null,
    time: at(0),
    ...more,
  };
}
