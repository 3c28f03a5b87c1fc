import { describe, expect, it } from "vitest";
import { merge, nearest, PANELS, rangeOf, spans, thresholds, timeTicks, trackOf } from "../src/stay/trend-data";
import { timeline } from "../src/stay/timeline";
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
    expect(track.muted).toEqual({ time: [1_000], value: [250] });
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
    expect(thresholds([{ ...rule, when: ["spo2 < 92"] }])).toEqual([{ signal: "spo2", value: 92, priority: "medium", title: "t", part: false }]);
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

it("shades an alert from the beginning of the breach to its end, or to now", () => {
  const [open, over] = spans([alert(), alert({ cleared_at: at(MINUTE) })], [], NOW);
  expect(open).toMatchObject({ from: NOW - 14 * MINUTE, raised: NOW - 4 * MINUTE, to: NOW });
  expect(over?.to).toBe(NOW - MINUTE);
  expect(spans([alert({ kind: "technical" })], [], NOW)).toEqual([]);
  const both = { id: "spo2-below-88", title: "t", priority: "high" as const, kind: "physiological" as const, when: ["rr < 11", "spo2 < 88"] };
  expect(spans([alert()], [both], NOW).map(({ signal }) => signal)).toEqual(["rr", "spo2"]);
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

it("tells what happened, newest first, each thing once", () => {
  const own = alert({ acknowledged_at: at(2 * MINUTE), acknowledged_by: "Anna", cleared_at: at(MINUTE), closed_at: at(MINUTE), assessment: "actionable" });
  expect(timeline([alert(), own]).map(({ kind, by }) => [kind, by])).toEqual([["cleared", null], ["acknowledged", "Anna"], ["raised", null]]);
  expect(timeline([alert({ late: true })])[0]?.kind).toBe("late");
});
