/** A lively ward of 24 beds for looking at the dashboard. Development only; nothing here is measured truth. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const iso = (ms) => (ms === null || ms === undefined ? null : new Date(ms).toISOString());

const BASE = { hr: 78, pr: 78, spo2: 97, rr: 15, sbp: 124, dbp: 76, temp: 36.8 };
const UNIT = { hr: "1/min", pr: "1/min", spo2: "%", rr: "1/min", sbp: "mm[Hg]", dbp: "mm[Hg]", map: "mm[Hg]", temp: "Cel" };
const HOLD = { hr: 90, pr: 90, spo2: 90, rr: 90, sbp: 3900, dbp: 3900, map: 3900, temp: 28800 };

const alert = (title, priority, signal, value, minutes, more = {}) => ({ title, priority, signal, value, minutes, ...more });

/** bed → what is special there. `old` = minutes since the last reading of a signal; null = never measured. */
export const PLANS = {
  1: {},
  2: { alerts: [alert("SpO2 below 88 % for 10 min", "high", "spo2", 85, 14)], set: { spo2: 85, rr: 26, hr: 112 }, alsoPending: ["RR 24 or more for 5 min", "medium", "rr", 26, 2, 190] },
  3: { flags: ["copd"], set: { spo2: 90 } },
  4: { pending: [["SpO2 below 92 % for 60 min", "medium", "spo2", 91, 26, 2040]], set: { spo2: 91 } },
  5: { old: { spo2: 7 }, alerts: [alert("Probe off: no SpO2 for 5 min", "low", "spo2", null, 7, { kind: "technical" })] },
  6: {},
  7: { alerts: [alert("RR 24 or more for 5 min", "medium", "rr", 27, 9)], set: { rr: 27, hr: 104 } },
  8: { set: { temp: 38.4, hr: 98 }, observed: true },
  9: { alerts: [alert("HR above 130 for 30 min", "high", "hr", 138, 41, { state: "acknowledged", by: "Amina Yusuf" })], set: { hr: 138, sbp: 98, dbp: 61 } },
  10: { none: ["temp", "sbp", "dbp"] },
  11: { paused: 25 },
  12: {
    alerts: [
      alert("SBP below 100 and SpO2 below 92 for 10 min", "high", "sbp", 92, 18),
      alert("HR 111 or more for 60 min", "medium", "hr", 121, 66),
      alert("NEWS2 7 or more", "high", "news2", 9, 12, { state: "acknowledged", by: "Amina Yusuf" }),
    ],
    set: { spo2: 90, sbp: 92, dbp: 54, hr: 121, rr: 23, temp: 38.9 },
    observed: true,
  },
  13: {},
  14: { alerts: [alert("SpO2 below 80 % for 1 min", "high", "spo2", 79, 38, { state: "returned" })] },
  15: { question: { spo2: "device-quality", hr: "hr-against-pr" } },
  16: { alerts: [alert("SpO2 below 92 % for 60 min", "medium", "spo2", 90, 71, { state: "shelved", by: "Jonas Berg" })], set: { spo2: 90 } },
  17: {},
  18: { old: { temp: 540 } },
  19: { alerts: [alert("Device lost: patch-19", "medium", null, null, 6, { kind: "technical" })], old: { hr: 6, rr: 6, spo2: 6 } },
  20: { pending: [["HR below 40 for 5 min", "high", "hr", 38, 2, 170]], set: { hr: 38 } },
  21: { pulse: true },
  22: { alerts: [alert("Temperature above 39.0 °C", "low", "temp", 39.3, 50)], set: { temp: 39.3, hr: 101 } },
  23: { observed: true },
  24: { none: ["hr", "pr", "spo2", "rr", "sbp", "dbp", "temp"] },
};

function points(signals, observed) {
  const at = (name) => signals[name]?.value;
  const band = (value, ...bands) => bands.find(([low, high]) => value >= low && value <= high)?.[2] ?? 0;
  const parts = {};
  const put = (name, own) => {
    if (at(name) !== undefined) parts[name] = { points: own, value: at(name), time: signals[name].time, stale: signals[name].state === "stale" };
  };
  put("rr", band(at("rr"), [0, 8, 3], [9, 11, 1], [21, 24, 2], [25, 200, 3]));
  put("spo2", band(at("spo2"), [0, 91, 3], [92, 93, 2], [94, 95, 1]));
  put("sbp", band(at("sbp"), [0, 90, 3], [91, 100, 2], [101, 110, 1], [220, 400, 3]));
  put("hr", band(at("hr"), [0, 40, 3], [41, 50, 1], [91, 110, 1], [111, 130, 2], [131, 400, 3]));
  put("temp", band(at("temp"), [0, 35, 3], [35.1, 36, 1], [38.1, 39, 1], [39.1, 50, 2]));
  if (observed) {
    parts.consciousness = { points: observed.consciousness === "A" ? 0 : 3, value: observed.consciousness, time: observed.time, stale: false };
    parts.oxygen = { points: observed.oxygen ? 2 : 0, value: observed.oxygen, time: observed.time, stale: false };
  }
  return parts;
}

export class Bed {
  constructor(bed, now) {
    this.bed = String(bed).padStart(2, "0");
    this.plan = PLANS[process.env.PLAN ?? bed] ?? {};
    this.id = `stay-${this.bed}`;
    this.start = now;
    this.observed = this.plan.observed ? { consciousness: "A", oxygen: bed === 12, time: iso(now - 3 * HOUR) } : null;
    this.pausedUntil = this.plan.paused ? now + this.plan.paused * MINUTE : null;
    this.alerts = (this.plan.alerts ?? []).map((own, i) => this.alert(own, i, now));
  }

  alert({ title, priority, signal, value, minutes, kind = "physiological", state = "active", by = null }, i, now) {
    const since = now - minutes * MINUTE;
    const acted = now - Math.min(4, minutes / 2) * MINUTE;
    return {
      id: `a-${this.bed}-${i}`, stay: this.id, ward: "4B", bed: this.bed, rule: title.toLowerCase().replace(/\W+/g, "-"), title, priority, kind, state,
      signal, value, breach_since: iso(since), raised_at: iso(since + minutes * MINUTE * 0.3), announced_at: iso(since + minutes * MINUTE * 0.3),
      acknowledged_at: state === "acknowledged" ? iso(acted) : null, acknowledged_by: state === "acknowledged" ? by : null,
      assessment: state === "acknowledged" ? "actionable" : null, note: null, cleared_at: state === "returned" ? iso(acted) : null,
      closed_at: null, close_reason: null, shelved_until: state === "shelved" ? iso(now + 22 * MINUTE) : null,
      shelved_by: state === "shelved" ? by : null, shelve_reason: null, suppressed_by: null, episode: "e1", late: false,
    };
  }

  /** A pending one becomes an alert, for the server to put on its shelf. */
  shelve(id, now) {
    const [title, priority, signal, value, minutes] = this.plan.pending?.[0] ?? this.plan.alsoPending;
    this.alerts.push({ ...this.alert({ title, priority, signal, value, minutes }, 0, now), id, raised_at: null });
    this.plan = { ...this.plan, pending: [], alsoPending: null };
  }

  value(name, time) {
    const base = this.plan.set?.[name === "pr" ? "hr" : name] ?? BASE[name] ?? 0;
    const seed = Number(this.bed) * 7 + name.length;
    const wave = Math.sin(time / 37_000 + seed) + 0.6 * Math.sin(time / 9_100 + seed * 3);
    const size = { temp: 0.12, spo2: 0.5, rr: 0.8, sbp: 3, dbp: 2, map: 2 }[name] ?? 1.6;
    const value = base + wave * size;
    return name === "temp" ? Math.round(value * 10) / 10 : Math.min(name === "spo2" ? 100 : 999, Math.round(value));
  }

  signals(now) {
    const signals = {};
    for (const name of ["hr", "pr", "spo2", "rr", "sbp", "dbp", "temp"]) {
      if (this.plan.none?.includes(name)) continue;
      const sparse = name === "sbp" || name === "dbp" ? 20 * MINUTE : name === "temp" ? 4 * HOUR : 1_000;
      const old = (this.plan.pulse && name === "hr" ? 9 : (this.plan.old?.[name === "pr" ? "hr" : name] ?? 0)) * MINUTE;
      const time = old ? this.start - old : Math.floor((now - 1_500 - Number(this.bed) * 13_000) / sparse) * sparse + (sparse === 1_000 ? Number(this.bed) * 13_000 : 0);
      const stale = now > time + HOLD[name] * 1_000;
      const reason = this.plan.question?.[name] ?? null;
      signals[name] = {
        value: this.value(name, time), unit: UNIT[name], time: iso(time), state: stale ? "stale" : reason ? "questionable" : "fresh",
        device: `mon-${this.bed}`, reason, hold_s: HOLD[name],
      };
    }
    return signals;
  }

  view(now) {
    const signals = this.signals(now);
    const parts = points(signals, this.observed);
    const known = Object.keys(parts);
    const missing = ["rr", "spo2", "oxygen", "sbp", "hr", "consciousness", "temp"].filter((part) => !known.includes(part));
    const score = known.some((part) => !parts[part].stale) && known.length > 2 ? known.reduce((sum, part) => sum + parts[part].points, 0) : null;
    const scale = this.plan.flags?.includes("copd") ? 2 : 1;
    const pendings = [...(this.plan.pending ?? []), ...(this.plan.alsoPending ? [this.plan.alsoPending] : [])];
    return {
      id: this.id, ward: "4B", bed: this.bed, patient_ref: `P-${1000 + Number(this.bed) * 37}`, admitted_at: iso(this.start - 30 * HOUR), discharged_at: null,
      flags: this.plan.flags ?? [], paused_until: iso(this.pausedUntil),
      devices: [
        { device: `mon-${this.bed}`, since: iso(this.start - 30 * HOUR), until: null, online: !this.plan.old?.hr, last_seen_at: iso(now - (this.plan.old?.hr ? 6 * MINUTE : 1_000)), offset_s: 0.2 },
        { device: `cuff-${this.bed}`, since: iso(this.start - 20 * HOUR), until: null, online: true, last_seen_at: iso(now - 11 * MINUTE), offset_s: this.bed === "12" ? -84 : 0 },
      ],
      signals,
      news2: {
        score, risk: score === null ? null : score >= 7 ? "high" : score >= 5 ? "medium" : "low", partial: missing.length > 0, missing,
        stale: known.filter((part) => parts[part].stale), scale, parts,
      },
      risk: null,
      alerts: this.alerts.filter(({ state }) => state !== "closed"),
      pending: pendings.map(([title, priority, signal, value, minutes, left], i) => ({
        id: `p-${this.bed}-${i}`, rule: title.toLowerCase().replace(/\W+/g, "-"), title, priority, kind: "physiological", state: "pending",
        since: iso(this.start - minutes * MINUTE), left_s: Math.max(0, left - (now - this.start) / 1_000), signal, value,
      })),
      priority: null, time: iso(now),
    };
  }

  /** History with a gap, a few artefacts, and cuff readings each 20 minutes. */
  vitals(start, end, resolution) {
    const signals = {};
    const step = resolution ? resolution * 1_000 : 2_000;
    for (const name of ["hr", "pr", "spo2", "rr", "sbp", "dbp", "map", "temp"]) {
      const sparse = name === "temp" ? 4 * HOUR : ["sbp", "dbp", "map"].includes(name) ? 20 * MINUTE : step;
      const out = resolution ? { time: [], min: [], median: [], max: [], count: [] } : { time: [], value: [], quality: [], reason: [] };
      for (let time = Math.ceil(start / sparse) * sparse; time <= end; time += sparse) {
        const minute = Math.floor(time / MINUTE) % 60;
        if (sparse === step && minute >= 22 && minute < 28 && name !== "rr") continue;
        const drift = name === "spo2" ? -4 * Math.max(0, Math.sin(time / (25 * MINUTE))) : name === "hr" || name === "pr" ? 9 * Math.sin(time / (40 * MINUTE)) : 0;
        const value = name === "temp" ? this.value(name, time) : Math.round((name === "map" ? 90 : this.value(name, time)) + drift);
        if (resolution) {
          out.time.push(iso(time)); out.min.push(value - 2); out.median.push(value); out.max.push(value + 2); out.count.push(60);
        } else {
          const artefact = sparse === step && minute === 41 && time % MINUTE < 24_000;
          out.time.push(iso(time)); out.value.push(artefact ? Math.round(value * 0.6) : value);
          out.quality.push(artefact ? "invalid" : "valid"); out.reason.push(artefact ? "spike" : null);
        }
      }
      signals[name] = out;
    }
    return { signals, start: iso(start), end: iso(end) };
  }
}
