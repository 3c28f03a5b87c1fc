import { describe, expect, it } from "vitest";
import { changed, goOn, linePath, MINUTES, type MinutesTold } from "../src/lib/changes";
import { EMPTY, evaluatedUntil, fold, type View } from "../src/lib/state";
import type { News2 } from "../src/lib/types";
import { alert, at, MINUTE, NOW, pending, signal, stay } from "./make";

const hear = (view: View, event: string, data: unknown): View => fold(view, { event, data: JSON.stringify(data) });
const told = (ago: number, ...values: (number | null)[]): MinutesTold => ({
  from: at((ago + values.length - 1) * MINUTE),
  to: at(ago * MINUTE),
  signals: { hr: values },
});

describe("what changed of a stay", () => {
  const known = stay({ signals: { hr: signal({ value: 82 }), rr: signal({ value: 14 }) }, flags: ["copd"] });

  it("replaces what it names and keeps the rest", () => {
    const after = changed(known, { id: "s1", set: { flags: [] }, signals: { hr: { value: 0 } } }, at(-1_000));
    expect(after).toMatchObject({ flags: [], time: at(-1_000), bed: "1", signals: { hr: { value: 0, unit: "1/min" }, rr: { value: 14 } } });
    expect(known.signals["hr"]?.value).toBe(82);
  });

  it("replaces members of NEWS2, of devices and of what is pending or raised, and keeps their order", () => {
    const score: News2 = { score: 5, risk: "medium", partial: false, missing: [], stale: [], scale: 1, parts: {}, not_applicable: null };
    const two = stay({ news2: score, alerts: [alert({ id: "a1" }), alert({ id: "a2" })], pending: [pending({ id: "p1", due_at: at(-9_000) })] });
    const after = changed(
      two,
      {
        id: "s1",
        alerts: { a2: { in_breach: false } },
        pending: { p1: { due_at: null, left_s: 4 }, gone: { left_s: 1 } },
        devices: { [two.devices[0]?.device ?? ""]: { online: false } },
        news2: { score: 9 },
      },
      at(0),
    );
    expect(after?.alerts.map((one) => [one.id, one.in_breach])).toEqual([["a1", two.alerts[0]?.in_breach], ["a2", false]]);
    expect(after?.pending).toEqual([{ ...two.pending[0], due_at: null, left_s: 4 }]);
    expect(after?.devices[0]).toEqual({ ...two.devices[0], online: false });
    expect(after?.news2).toEqual({ ...two.news2, score: 9 });
    expect(two.alerts[1]?.in_breach).not.toBe(false);
  });

  it("is nothing for a stay that was never told whole", () => {
    expect(changed(undefined, { id: "s9", set: { bed: "7" } }, at(0))).toBeNull();
    expect(changed(undefined, { id: "s1", view: known }, at(0))).toMatchObject({ id: "s1" });
  });

  it("moves the evaluation on, also where nothing of any stay changed", () => {
    const open = hear(EMPTY, "snapshot", { time: at(9_000), stays: [known] });
    expect(evaluatedUntil(open)).toBe(NOW - 9_000);
    expect(evaluatedUntil(hear(open, "stays", { time: at(0), stays: [] }))).toBe(NOW);
    expect(evaluatedUntil(hear(EMPTY, "stays", { time: at(0), stays: [] }))).toBeNull();
  });

  it("leaves the objects of other stays alone, so that nothing of them is drawn anew", () => {
    const open = hear(EMPTY, "snapshot", { time: at(0), stays: [known, stay({ id: "s2" })] });
    const next = hear(open, "stays", { time: at(0), stays: [{ id: "s1", signals: { hr: { value: 90 } } }] });
    expect(next.stays.get("s2")).toBe(open.stays.get("s2"));
    expect(next.stays.get("s1")?.signals["hr"]?.value).toBe(90);
  });
});

describe("two hours by the minute", () => {
  it("begins with gaps and ends with the newest minute", () => {
    const lines = goOn(undefined, told(0, 70, null, 72));
    expect(lines.signals["hr"]).toHaveLength(MINUTES);
    expect(lines.signals["hr"]?.slice(-4)).toEqual([null, 70, null, 72]);
  });

  it("moves on and takes what came late, also that there is nothing", () => {
    const first = goOn(undefined, told(2, 70, 71, 72));
    expect(goOn(first, told(0, 73, 74)).signals["hr"]?.slice(-5)).toEqual([70, 71, 72, 73, 74]);
    expect(goOn(first, told(0, 74)).signals["hr"]?.slice(-5)).toEqual([70, 71, 72, null, 74]);
    expect(goOn(first, told(2, null, 90)).signals["hr"]?.slice(-3)).toEqual([70, null, 90]);
    expect(goOn(first, { from: at(2 * MINUTE), to: at(2 * MINUTE), signals: {} }).signals["hr"]?.slice(-2)).toEqual([71, null]);
  });

  it("keeps nothing after a long silence", () => {
    const lines = goOn(goOn(undefined, told(500, 70)), told(0, 80));
    expect(lines.signals["hr"]?.filter((value) => value !== null)).toEqual([80]);
  });

  it("draws gaps as gaps, and one value alone as a dot", () => {
    expect(linePath("spo2", [100, 100, null, 94, null, 88, 100], 12)).toBe("M0 0.0L1 0.0M3 6.0h.01M5 12.0L6 0.0");
    expect(linePath("spo2", [null, null], 12)).toBe("");
    expect(linePath("spo2", [50, 100], 10)).toBe("M0 10.0L1 0.0"); // beyond the usual range nothing is cut off
  });
});
