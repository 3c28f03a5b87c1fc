import { describe, expect, it } from "vitest";
import { differences } from "../src/workbench/drafts";
import { cellAt, heatOf, shadeOf, step } from "../src/workbench/heat";
import { readLabels } from "../src/workbench/labels";
import { candidateRequest, changesOf, mapRequest, periodFor, sample, spanOf, type Asked } from "../src/workbench/plan";
import {
  changeOf,
  editOf,
  gridAxes,
  ladder,
  lengthWords,
  MINUTE,
  movable,
  parseClause,
  ruleWords,
  toMs,
  toText,
  type FullRule,
} from "../src/workbench/rules";
import type { Setting, TrialAnswer } from "../src/workbench/api";

const RULE: FullRule = {
  id: "spo2-below-88",
  title: "SpO2 below 88 % for 10 min",
  priority: "high",
  kind: "physiological",
  when: ["spo2 < 88"],
  for: "10m",
  min_readings: 2,
  clear_when: ["spo2 >= 90"],
  clear_for: "2m",
  scope: "pack",
  version: 0,
  by: null,
  at: null,
};

describe("a rule on sliders", () => {
  it("reads and writes clauses and durations as the service does", () => {
    expect(parseClause("temp >= 38.5")).toEqual({ signal: "temp", op: ">=", number: 38.5 });
    expect(parseClause("spo2 absent")).toBeNull();
    for (const text of ["90s", "10m", "2h", "30s", "90m"]) expect(toText(toMs(text))).toBe(text);
    expect(toMs("1.5h")).toBe(90 * MINUTE);
    expect(toMs("soon")).toBe(0);
  });

  it("says only what is different", () => {
    const edit = editOf(RULE);
    expect(changeOf(RULE, edit)).toEqual({});
    expect(changeOf(RULE, { ...edit, for: 5 * MINUTE })).toEqual({ for: "5m" });
    expect(changeOf(RULE, { ...edit, gap: 20 * MINUTE, clearFor: 3 * MINUTE, minReadings: 3 })).toEqual({
      gap: "20m",
      clear_for: "3m",
      min_readings: 3,
    });
  });

  it("moves what clears it with the threshold", () => {
    expect(changeOf(RULE, { ...editOf(RULE), thresholds: [85] })).toEqual({ when: ["spo2 < 85"], clear_when: ["spo2 >= 87"] });
    const two = { ...RULE, when: ["sbp < 100", "hr > 110"], clear_when: ["hr <= 105"] };
    expect(changeOf(two, { ...editOf(two), thresholds: [90, 110] })).toEqual({
      when: ["sbp < 90", "hr > 110"],
      clear_when: ["hr <= 105"],
    });
    const fine = { ...RULE, when: ["temp > 38.1"], clear_when: ["temp <= 38"] };
    expect(changeOf(fine, { ...editOf(fine), thresholds: [38.4] })["clear_when"]).toEqual(["temp <= 38.3"]);
  });

  it("never looks for more than a time holds", () => {
    const within = { ...RULE, within: "20m" };
    expect(changeOf(within, { ...editOf(within), for: 30 * MINUTE })).toEqual({ for: "30m", within: "30m" });
  });

  it("names the threshold that the map moves", () => {
    expect(movable(RULE)?.at).toBe(0);
    expect(movable({ ...RULE, when: ["spo2 absent"] })).toBeNull();
    expect(movable({ ...RULE, when: ["hr >= 30", "hr < 40"] })).toBeNull();
    expect(movable({ ...RULE, when: ["rr <= 5", "hr > 20"] })?.clause.signal).toBe("rr");
  });

  it("puts what is in force on the map and on the slider", () => {
    const odd = editOf({ ...RULE, when: ["hr >= 111"], for: "7m" });
    const axes = gridAxes("hr", odd, 0);
    expect(axes.thresholds).toContain(111);
    expect(axes.durations).toContain(7 * MINUTE);
    expect(ladder(7 * MINUTE)).toContain(7 * MINUTE);
    expect(gridAxes("spo2", { ...editOf(RULE), thresholds: [98] }, 0).thresholds.at(-1)).toBe(100);
    expect(gridAxes("spo2", { ...editOf(RULE), within: 15 * MINUTE }, 0).durations.at(-1)).toBe(15 * MINUTE);
  });

  it("says it in words", () => {
    expect(ruleWords(RULE)).toBe("SpO₂ < 88 % for 10 min");
    expect(ruleWords({ when: ["hr >= 111"], for: "20m", within: "40m" })).toBe("Heart rate ≥ 111 /min for 20 min within 40 min");
    expect([lengthWords(30_000), lengthWords(90_000), lengthWords(90 * MINUTE), lengthWords(45 * MINUTE)]).toEqual(["30 s", "90 s", "1.5 h", "45 min"]);
  });
});

const setting = (threshold: number, seconds: number, load: number): Setting =>
  ({ label: `${threshold}/${seconds}`, threshold, for: seconds, alerts_per_day: load, on_front: false }) as Setting;

describe("the map", () => {
  const answer = { settings: [setting(86, 60, 8), setting(88, 60, 20), setting(86, 300, 0), setting(88, 300, 2)] } as TrialAnswer;

  it("has the laxest on top, whichever way the rule looks", () => {
    expect(heatOf(answer, true).thresholds).toEqual([88, 86]);
    expect(heatOf(answer, false).thresholds).toEqual([86, 88]);
    expect(heatOf(answer, true).durations).toEqual([60_000, 300_000]);
  });

  it("finds what is chosen, and nothing between the cells", () => {
    const heat = heatOf(answer, true);
    expect(cellAt(heat, 86, 60_000)?.setting.alerts_per_day).toBe(8);
    expect(cellAt(heat, 87, 60_000)).toBeNull();
    expect(cellAt(null, 86, 60_000)).toBeNull();
  });

  it("shades by ratios, and nothing as much as none", () => {
    expect(shadeOf(0, 0.5, 20)).toBe(0);
    expect(shadeOf(20, 0.5, 20)).toBeCloseTo(1);
    expect(shadeOf(10, 0.5, 20) - shadeOf(5, 0.5, 20)).toBeCloseTo(shadeOf(4, 0.5, 20) - shadeOf(2, 0.5, 20));
    expect(shadeOf(0.5, 0.5, 20)).toBeGreaterThan(0);
    // Cells that hardly differ do not look as if they did.
    expect(shadeOf(20, 18, 20) - shadeOf(18, 18, 20)).toBeLessThan(0.1);
  });

  it("is walked by arrows, and does not fall off its edges", () => {
    const heat = heatOf(answer, true);
    expect(step(heat, 0, 0, "ArrowRight")).toEqual([0, 1]);
    expect(step(heat, 0, 1, "ArrowRight")).toEqual([0, 1]);
    expect(step(heat, 0, 1, "ArrowDown")).toEqual([1, 1]);
    expect(step(heat, 1, 1, "Home")).toEqual([1, 0]);
    expect(step(heat, 1, 0, "x")).toBeNull();
  });
});

describe("what is tried", () => {
  const history = { start: "2026-11-01T00:00:00Z", end: "2026-11-11T00:00:00Z", now: "", readings: 2_000_000, stays: 20 };
  const asked: Asked = {
    rules: [RULE, { ...RULE, id: "other", when: ["hr > 130"], for: "30m", clear_when: [] }],
    rule: RULE,
    edits: new Map([
      [RULE.id, { ...editOf(RULE), thresholds: [85], for: 5 * MINUTE, gap: 20 * MINUTE }],
      ["other", { ...editOf(RULE), thresholds: [140], for: 30 * MINUTE }],
    ]),
    scope: "ward:6A",
    span: { start: 0, end: 60_000, cut: false },
    events: null,
    wanted: 3,
    holds: new Map(),
    recording: "",
    labels: "",
  };

  it("begins with as much as is quick", () => {
    expect(periodFor(history)).toBe("all");
    expect(periodFor({ ...history, readings: 60_000_000 })).toBe("6h");
    expect(periodFor({ ...history, readings: 25_000_000 })).toBe("day");
  });

  it("is never more than can be tried at once, and says so", () => {
    const span = spanOf({ ...history, readings: 48_000_000 }, "all");
    expect(span?.cut).toBe(true);
    expect((span?.end ?? 0) - (span?.start ?? 0)).toBeCloseTo(5 * 86_400_000, -2);
    expect(spanOf(history, "week")?.cut).toBe(false);
    expect(spanOf({ ...history, start: null, end: null, readings: 0 }, "day")).toBeNull();
  });

  it("looks at a few patients first where there are many", () => {
    expect(sample(["a", "b", "c"])).toBeNull();
    expect(sample(Array.from({ length: 12 }, (_, i) => String(i)))).toEqual(["0", "3", "6", "9"]);
  });

  it("is every rule that was moved, in its scope", () => {
    const request = candidateRequest(asked);
    expect(request).toMatchObject({ scope: "ward:6A", ward: "6A", listed: false });
    expect(request?.rules).toEqual([
      { id: RULE.id, when: ["spo2 < 85"], clear_when: ["spo2 >= 87"], for: "5m", gap: "20m" },
      { id: "other", when: ["hr > 140"] },
    ]);
    expect(candidateRequest({ ...asked, edits: new Map() })).toBeNull();
    expect(changesOf(asked.rules, new Map())).toEqual([]);
  });

  it("leaves to the map what the map moves", () => {
    const request = mapRequest(asked);
    expect(request?.rules?.[0]).toEqual({ id: RULE.id, gap: "20m" });
    expect(request?.grid?.thresholds).toContain(88);
    expect(request?.grid?.for).toContain("10m");
    // So the map stands while its own threshold and duration are moved.
    const moved = new Map([...asked.edits, [RULE.id, { ...editOf(RULE), thresholds: [84], for: 2 * MINUTE, gap: 20 * MINUTE }]]);
    expect(mapRequest({ ...asked, edits: moved })).toEqual(request);
  });
});

describe("labels", () => {
  it("are a line each, by bed or stay; what is not understood is told", () => {
    const found = readLabels("stay,time\n7,2026-11-21T12:00:00Z\ns-1;2026-11-21 12:00Z\nnobody,2026-11-21T12:00:00Z\n7,soon\n", (name) =>
      ({ "7": "s-7", "s-1": "s-1" })[name],
    );
    expect(found.events).toEqual([
      { stay: "s-7", time: "2026-11-21T12:00:00.000Z" },
      { stay: "s-1", time: "2026-11-21T12:00:00.000Z" },
    ]);
    expect(found.bad).toEqual(["nobody,2026-11-21T12:00:00Z", "7,soon"]);
  });
});

describe("a draft", () => {
  it("shows field by field what will be different", () => {
    expect(differences({ base: RULE, after: { ...RULE, when: ["spo2 < 85"], for: "5m" } })).toEqual([
      { field: "when", before: "SpO₂ < 88 %", after: "SpO₂ < 85 %" },
      { field: "for", before: "10 min", after: "5 min" },
    ]);
    expect(differences({ base: RULE, after: RULE })).toEqual([]);
    const whole = differences({ base: null, after: RULE });
    expect(whole.find(({ field }) => field === "priority")).toEqual({ field: "priority", before: "–", after: "High" });
  });
});
