import { describe, expect, it } from "vitest";
import { news, trustOf, valueText, vitals } from "../src/lib/signals";
import type { News2 } from "../src/lib/types";
import { at, MINUTE, NOW, signal, stay } from "./make";

const cell = (signals: Parameters<typeof stay>[0], i: number) => vitals(stay(signals), NOW, 1)[i];

describe("what can be trusted", () => {
  it("is unknown when it was never measured, or is expected and absent", () => {
    expect(trustOf(undefined, NOW, 1)).toBe("unknown");
    expect(trustOf(signal({ value: null }), NOW, 1)).toBe("unknown");
    expect(cell({}, 1)).toMatchObject({ text: "unknown", trust: "unknown", age: null });
  });

  it("keeps zero as a value", () => {
    expect(cell({ signals: { rr: signal({ value: 0 }) } }, 2)).toMatchObject({ text: "0", trust: "fresh" });
  });

  it("is stale when the server says so, whatever its age", () => {
    expect(trustOf(signal({ state: "stale" }), NOW, 1)).toBe("stale");
  });

  it("is stale once its hold has run out, though no newer view came", () => {
    const held = signal({ time: at(90_000), hold_s: 90 });
    expect(trustOf(held, NOW, 1)).toBe("fresh");
    expect(trustOf(held, NOW + 24_999, 1)).toBe("fresh");
    expect(trustOf(held, NOW + 25_000, 1)).toBe("stale");
  });

  it("allows for the server's lateness in its own time: 60 times faster, 60 times later", () => {
    const held = signal({ time: at(300_000), hold_s: 90 });
    expect(trustOf(held, NOW, 60)).toBe("fresh");
    expect(trustOf(held, NOW, 1)).toBe("stale");
  });

  it("does not call a reading stale that the filter and the way here delayed, however short its hold", () => {
    expect(trustOf(signal({ time: at(20_000), hold_s: 2.5 }), NOW, 1)).toBe("fresh");
  });

  it("says questionable, with the reason", () => {
    expect(cell({ signals: { spo2: signal({ state: "questionable", reason: "spike" }) } }, 1)).toMatchObject({
      trust: "questionable",
      reason: "spike",
    });
  });

  it("shows a stale value with its age", () => {
    expect(cell({ signals: { hr: signal({ state: "stale", time: at(7 * MINUTE) }) } }, 0)).toMatchObject({
      text: "82",
      trust: "stale",
      age: 7 * MINUTE,
    });
  });
});

describe("cells", () => {
  it("let the pulse stand in for an unknown or stale heart rate, under its own name", () => {
    expect(cell({ signals: { pr: signal({ value: 70 }) } }, 0)).toMatchObject({ label: "Pulse", text: "70" });
    expect(cell({ signals: { hr: signal({ state: "stale" }), pr: signal({ value: 70 }) } }, 0)).toMatchObject({ label: "Pulse" });
    expect(cell({ signals: { hr: signal(), pr: signal({ value: 70 }) } }, 0)).toMatchObject({ label: "HR", text: "82" });
    expect(cell({ signals: { hr: signal({ state: "stale" }) } }, 0)).toMatchObject({ label: "HR", trust: "stale" });
  });

  it("join a blood pressure and trust it as its worse part", () => {
    const sbp = signal({ value: 118, time: at(5 * MINUTE), hold_s: 3_900 });
    const dbp = signal({ value: 74, time: at(9 * MINUTE), hold_s: 3_900, state: "stale" });
    expect(cell({ signals: { sbp, dbp } }, 3)).toMatchObject({ text: "118/74", trust: "stale", age: 9 * MINUTE });
    expect(cell({ signals: { sbp } }, 3)).toMatchObject({ text: "118/–", trust: "fresh" });
    expect(cell({ signals: { map: sbp } }, 3)).toMatchObject({ label: "MAP", text: "118" });
    expect(cell({ signals: { dbp } }, 3)).toMatchObject({ label: "BP", text: "unknown" });
  });
});

describe("NEWS2", () => {
  const score = (more: Partial<News2> = {}): News2 => ({
    score: 5,
    risk: "medium",
    partial: true,
    missing: ["consciousness", "oxygen"],
    stale: [],
    scale: 1,
    parts: { temp: { points: 1, value: 38.2, time: at(30 * MINUTE), stale: false } },
    ...more,
  });

  it("carries a plus while it is a lower bound", () => {
    expect(news(stay({ news2: score() }), NOW, 1).text).toBe("5+");
    expect(news(stay({ news2: score({ partial: false, missing: [] }) }), NOW, 1).text).toBe("5");
  });

  it("is unknown without a score, and zero is a score", () => {
    expect(news(stay(), NOW, 1).text).toBe("unknown");
    expect(news(stay({ news2: score({ score: null }) }), NOW, 1).text).toBe("unknown");
    expect(news(stay({ news2: score({ score: 0 }) }), NOW, 1).text).toBe("0+");
  });

  it("names a stale part with the age of the oldest", () => {
    const parts = { temp: { points: 1, value: 38.2, time: at(540 * MINUTE), stale: true } };
    expect(news(stay({ news2: score({ parts, stale: ["temp"] }) }), NOW, 1)).toMatchObject({
      stale: ["temp"],
      staleAge: 540 * MINUTE,
    });
  });

  it("finds a part stale by itself when its signal's hold has run out", () => {
    const own = stay({ news2: score(), signals: { temp: signal({ time: at(30 * MINUTE), hold_s: 60 }) } });
    expect(news(own, NOW, 1).stale).toEqual(["temp"]);
  });

  it("does not call the pulse part stale while the pulse stands in", () => {
    const parts = { hr: { points: 0, value: 80, time: at(0), stale: false } };
    const own = stay({ news2: score({ parts }), signals: { hr: signal({ state: "stale" }), pr: signal() } });
    expect(news(own, NOW, 1).stale).toEqual([]);
  });
});

it("puts values into words", () => {
  expect(valueText("temp", 37)).toBe("37.0");
  expect(valueText("spo2", 97.4)).toBe("97");
  expect(valueText("consciousness", "C")).toBe("New confusion");
  expect(valueText("consciousness", 4)).toBe("Unresponsive");
  expect(valueText("oxygen", false)).toBe("room air");
  expect(valueText("oxygen", 1)).toBe("oxygen");
  expect(valueText("hr", null)).toBe("unknown");
});
