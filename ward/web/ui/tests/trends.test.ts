import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { alertMarks, doubtAt, logMarks, merge, nearest, PANELS, rangeOf, resolutionOf, thresholds, timeTicks, trackOf, valueAt } from "../src/stay/trend-data";
import { split } from "../src/stay/history.svelte";
import { effectOf, offered } from "../src/stay/flags";
import { check } from "../src/stay/observations";
import { timeline } from "../src/stay/timeline";
import { panned, zoomed } from "../src/stay/zoom";
import type { StayEvent } from "../src/lib/types";
import { CATALOGUES } from "./catalogues";
import { alert, at, MINUTE, NOW } from "./make";

describe("tracks", () => {
  it("draw a gap as a gap: only where the hold ran out between two readings", () => {
    const track = trackOf("hr", { time: [0, 90_000, 180_001], value: [80, 81, 82] }, 90_000);
    expect(track.time).toEqual([0, 90_000, 90_001, 180_001]);
    expect(track.value).toEqual([80, 81, null, 82]);
  });

  it("mute what is questionable or invalid, and let it neither join nor end the curve", () => {
    const track = trackOf("hr", { time: [0, 1_000, 2_000], value: [80, 250, 81], quality: ["valid", "invalid", "valid"] }, 90_000);
    expect(track.value).toEqual([80, 81]);
    expect(track.muted).toEqual({ time: [1_000], value: [250], reason: [""] });
  });

  it("keep zero and leave null out", () => {
    expect(trackOf("rr", { time: [0, 1], value: [0, null] }, 1_000).value).toEqual([0]);
  });

  it("carry the lowest and highest of bins", () => {
    const track = trackOf("hr", { time: [0], min: [70], median: [80], max: [95] }, 90_000);
    expect([track.low, track.value, track.high]).toEqual([[70], [80], [95]]);
  });

  it("take the newer of two overlapping histories, because readings get resolved", () => {
    const old = { time: [at(3_000), at(2_000), at(1_000)], value: [1, 2, 3], quality: ["valid", "questionable", "valid"] };
    const fresh = { time: [at(2_000), at(0)], value: [2, 4], quality: ["invalid", "valid"] };
    const merged = merge(old, fresh, NOW - 2_000, NOW - 3_000);
    expect(merged.value).toEqual([1, 2, 4]);
    expect(merged.quality).toEqual(["valid", "invalid", "valid"]);
  });
});

describe("thresholds", () => {
  const rule = { id: "r", title: "t", priority: "medium" as const, kind: "physiological" as const };
  it("come from the rules' conditions", () => {
    expect(thresholds([{ ...rule, when: ["spo2 < 92"] }])).toEqual([{ signal: "spo2", value: 92, priority: "medium", title: "t", text: "92", part: false }]);
    expect(thresholds([{ ...rule, when: ["spo2 absent"] }])).toEqual([]);
  });
  it("let a rule that stands alone win over a part of one, and the graver over the milder", () => {
    const alone = { ...rule, when: ["spo2 < 92"] };
    const part = { ...rule, priority: "high" as const, when: ["sbp < 100", "spo2 < 92"] };
    for (const order of [[alone, part], [part, alone]]) {
      expect(thresholds(order).find(({ signal }) => signal === "spo2")).toMatchObject({ part: false, priority: "medium" });
    }
    const graver = { ...alone, priority: "high" as const };
    for (const order of [[alone, graver], [graver, alone]]) {
      expect(thresholds(order)).toMatchObject([{ priority: "high" }]);
    }
  });
  it("count two limits of one signal as standing alone", () => {
    expect(thresholds([{ ...rule, when: ["hr >= 30", "hr < 40"] }]).map(({ part }) => part)).toEqual([false, false]);
  });
});

it("shades an alert from the beginning of the breach to its end, or to now, over all signals of its rule", () => {
  const [open, over] = alertMarks([alert(), alert({ cleared_at: at(MINUTE) })], NOW);
  expect(open).toMatchObject({ from: NOW - 14 * MINUTE, at: NOW - 4 * MINUTE, to: NOW, signals: ["spo2"] });
  expect(over?.to).toBe(NOW - MINUTE);
  expect(alertMarks([alert({ kind: "technical" })], NOW)).toEqual([]);
  expect(alertMarks([alert({ signals: ["rr", "spo2"] })], NOW)[0]?.signals).toEqual(["rr", "spo2"]);
});

const event = (kind: string, ago: number, more: Partial<StayEvent> = {}): StayEvent => ({
  seq: 1000 - ago / MINUTE,
  at: at(ago),
  kind,
  by: null,
  alert: null,
  before: null,
  after: null,
  detail: {},
  ...more,
});

it("draws when the patient was away and what was shelved when, also what still is", () => {
  const log = [
    event("shelved", 2 * MINUTE, { alert: "a1", after: "shelved" }),
    event("pause-ended", 5 * MINUTE),
    event("shelf-expired", 10 * MINUTE, { alert: "a1", after: "active" }),
    event("shelved", 15 * MINUTE, { alert: "a1", after: "shelved" }),
    event("paused", 20 * MINUTE),
  ];
  const found = logMarks(log, [alert()], NOW, { paused: "away", shelved: "shelved" });
  expect(found.map(({ look, from, to }) => [look, (NOW - from) / MINUTE, (NOW - to) / MINUTE])).toEqual([
    ["shelved", 15, 10],
    ["paused", 20, 5],
    ["shelved", 2, 0],
  ]);
  expect(found[0]?.signals).toEqual(["spo2"]);
});

it("asks for bins that fit a screen, and for every reading where that is little", () => {
  const hours = (n: number): number | null => resolutionOf(n * 60 * MINUTE);
  expect([1, 4, 8, 24, 72, 168].map(hours)).toEqual([null, 15, 30, 120, 300, 600]);
  for (const n of [4, 8, 24, 72, 168]) expect((n * 3600) / (hours(n) ?? 1)).toBeLessThanOrEqual(1_100);
});

it("asks for a week a day at a time, in whole bins", () => {
  const day = 24 * 60 * MINUTE;
  const pieces = split(0, 7 * day, 600_000);
  expect(pieces.length).toBe(7);
  expect(pieces.every(([start, end], i) => start % 600_000 === 0 && end === (pieces[i + 1]?.[0] ?? 7 * day))).toBe(true);
  expect(split(5, 60 * MINUTE, 0)).toEqual([[5, 60 * MINUTE]]);
});

it("shows in bins what did not count, muted", () => {
  const series = { time: [0], min: [70], median: [80], max: [95], doubted: { time: [0, 60_000], min: [10, 20], max: [250, 20], count: [4, 1] } };
  const track = trackOf("hr", series, 90_000);
  expect(track.value).toEqual([80]);
  expect(track.muted).toEqual({ time: [0, 0, 60_000], value: [10, 250, 20], reason: ["", "", ""] });
  const merged = merge(series, { time: [60_000], median: [81], doubted: { time: [60_000], min: [5], max: [6], count: [2] } }, 60_000, 0);
  expect(merged.doubted).toEqual({ time: [0, 60_000], min: [10, 5], max: [250, 6], count: [4, 2] });
});

describe("zoom", () => {
  const all = { start: 0, end: 100 * MINUTE };
  it("comes closer around a point that stays where it is, and never leaves the range", () => {
    expect(zoomed(all, all, 0.5, 0)).toEqual({ start: 0, end: 50 * MINUTE });
    expect(zoomed(all, all, 0.5)).toEqual({ start: 25 * MINUTE, end: 75 * MINUTE });
    expect(zoomed({ start: 90 * MINUTE, end: 100 * MINUTE }, all, 2)).toEqual({ start: 80 * MINUTE, end: 100 * MINUTE });
  });
  it("is all of it again when it is no closer, and no closer than a minute", () => {
    expect(zoomed({ start: 0, end: 60 * MINUTE }, all, 2)).toBeNull();
    const near = zoomed({ start: 0, end: 2 * MINUTE }, all, 0.001);
    expect(near && near.end - near.start).toBe(MINUTE);
  });
  it("moves within the range", () => {
    expect(panned({ start: 0, end: 50 * MINUTE }, all, 0.5)).toEqual({ start: 25 * MINUTE, end: 75 * MINUTE });
    expect(panned({ start: 40 * MINUTE, end: 90 * MINUTE }, all, 0.5)).toEqual({ start: 50 * MINUTE, end: 100 * MINUTE });
    expect(panned(all, all, 0.5)).toBeNull();
  });
});

it("takes what may be, asks about what is unusual, and says what cannot be", () => {
  expect(check({ temp: "37,2", rr: "16", sbp: "" })).toEqual({ values: { temp: 37.2, rr: 16 }, wrong: {}, surprising: [] });
  expect(check({ temp: "42" })).toEqual({ values: { temp: 42 }, wrong: {}, surprising: ["temp"] });
  expect(check({ temp: "372", rr: "x" })).toEqual({ values: {}, wrong: { temp: "impossible", rr: "no-number" }, surprising: [] });
  expect(check({ rr: "0" }).values).toEqual({ rr: 0 });
  expect(check({ sbp: "80", dbp: "90" }).surprising).toEqual(["sbp"]);
});

it("spells out what a flag does", () => {
  const rules = [{ id: "r", title: "SpO2 below 92 %", priority: "medium" as const, kind: "physiological" as const, when: ["spo2 < 92"], unless: ["copd", "own"] }];
  expect(effectOf("copd", rules)).toEqual({ words: null, off: ["SpO₂ below 92 %"] });
  expect(effectOf("spo2-scale-2", rules).words).toContain("second scale");
  expect(offered(["mine"], rules)).toEqual(["copd", "bmi40", "spo2-scale-2", "under-16", "pregnant", "own", "mine"]);
});

it("widens the range for valid values and not for artefacts", () => {
  const [panel] = PANELS;
  if (!panel) throw new Error("no panel");
  const track = trackOf("hr", { time: [0, 1], value: [170, 290], quality: ["valid", "invalid"] }, 1_000);
  expect(rangeOf(panel, [track])).toEqual([40, 171]);
});

it("reads the value at the cursor: the last one, while it speaks", () => {
  expect(nearest([80, undefined, undefined], [0, 1_000, 2_000], 2, 5_000)).toBe(80);
  expect(nearest([80, undefined, undefined], [0, 1_000, 9_000], 2, 5_000)).toBeNull();
  expect(nearest([80, null, undefined], [0, 1_000, 2_000], 2, 5_000)).toBeNull();
});

it("ticks at round clock times", () => {
  expect(timeTicks(7 * MINUTE, 67 * MINUTE, 6, 0).map((tick) => tick / MINUTE)).toEqual([10, 20, 30, 40, 50, 60]);
});

it("tells what happened and who did what, and passes over what follows from it", () => {
  const of = { alert: "a1", title: "SpO2 below 88 %", priority: "high" as const };
  const log = [
    event("observed", 0, { by: "Bo", detail: { time: at(0), temp: 38.4, oxygen: true } }),
    event("undone", MINUTE, { by: "Ida", ...of }),
    event("handed-over", 2 * MINUTE, { by: "Ida", detail: { to: "Bo" }, ...of }),
    event("shelved", 3 * MINUTE, { by: "Ida", detail: { shelved_until: NOW, shelve_reason: "washing" }, ...of }),
    event("notified", 4 * MINUTE, of),
    event("raised", 5 * MINUTE, { detail: { late: true }, ...of }),
    event("something new", 6 * MINUTE, of),
  ];
  const found = timeline(log, NOW);
  expect(found.map(({ kind }) => kind)).toEqual(["observed", "undone", "handed-over", "shelved", "raised"]);
  expect(found[0]?.detail).toBe("Temperature 38.4 °C, oxygen");
  expect(found[2]).toMatchObject({ by: "Ida", detail: "to Bo", title: "SpO₂ below 88 %" });
  expect(found[3]?.detail).toContain("washing");
  expect(found[4]?.words).toBe("raised, told late");
});

it("says at the cursor what is there and does not count, and why", () => {
  const series = { time: [0, 60_000], value: [7, 5], quality: ["valid", "questionable"], reason: ["", "parts-missing"] };
  const track = trackOf("news2", series, 360_000);
  expect(doubtAt(track, 59_999, 360_000)).toBeNull();
  expect(doubtAt(track, 420_000, 360_000)).toEqual({ value: 5, reason: "parts-missing" });
  expect(doubtAt(track, 420_001, 360_000)).toBeNull();
  expect([valueAt(track, -1, 360_000), valueAt(track, 360_000, 360_000), valueAt(track, 360_001, 360_000)]).toEqual([null, 7, null]);
});

it("has words for every reason that the service gives", () => {
  const source = readFileSync("../../scoring/detectors.py", "utf8");
  const listed = /REASONS: Final\[tuple\[str, \.\.\.\]\] = \(([^)]*)\)/.exec(source)?.[1] ?? "";
  const reasons = [...listed.matchAll(/"([a-z-]+)"/g)].map(([, word]) => word!);
  expect(reasons).toContain("parts-stale");
  expect(reasons.filter((reason) => !CATALOGUES.en.reasons[reason])).toEqual([]);
});
