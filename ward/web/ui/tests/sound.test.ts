import { describe, expect, it } from "vitest";
import { bedView } from "../src/lib/board";
import { BURSTS, highOnes, PARTIALS, soundFor } from "../src/lib/sound";
import { alert, stay } from "./make";

const bed = (...alerts: Parameters<typeof alert>[0][]) => bedView(stay({ alerts: alerts.map((one, i) => alert({ id: `a${i}`, ...one })) }));

describe("what sounds", () => {
  it("is the most urgent thing that nobody has taken", () => {
    expect(soundFor([bed({ priority: "low" }), bed({ priority: "medium" }), bed({})])).toBe("high");
    expect(soundFor([bed({ priority: "low" }), bed({ priority: "medium" })])).toBe("medium");
    expect(soundFor([bed({ state: "acknowledged" }), bed({ state: "shelved" }), bed({ priority: "low" })])).toBe("low");
    expect(soundFor([bed({ state: "acknowledged" })])).toBeNull();
    expect(soundFor([bed()])).toBeNull();
  });

  it("is soft for what is over and for the measurement", () => {
    expect(soundFor([bed({ state: "returned" })])).toBe("low");
    expect(soundFor([bed({ kind: "technical" })])).toBe("low");
  });

  it("knows the high alerts that could end a pause", () => {
    expect([...highOnes([bed({ id: "a" }, { id: "b", state: "acknowledged" }, { id: "c", priority: "low" }, { id: "d", kind: "technical" })])]).toEqual(["a"]);
  });
});

describe("bursts after IEC 60601-1-8", () => {
  it("differ in number and rhythm, not only in pitch", () => {
    expect([BURSTS.high, BURSTS.medium, BURSTS.low].map(({ pulses }) => pulses.length)).toEqual([10, 3, 2]);
  });

  it.each([
    ["high", [0.075, 0.2], [2_500, 15_000]],
    ["medium", [0.125, 0.25], [2_500, 30_000]],
    ["low", [0.125, 0.25], [15_000, Infinity]],
  ] as const)("%s: pulses and the pause between bursts are within the ranges", (priority, [shortest, longest], [least, most]) => {
    const { pulses, length, every } = BURSTS[priority];
    const pause = every - ((pulses.at(-1) ?? 0) + length) * 1_000;
    expect(length).toBeGreaterThanOrEqual(shortest);
    expect(length).toBeLessThanOrEqual(longest);
    expect(pause).toBeGreaterThanOrEqual(least);
    expect(pause).toBeLessThanOrEqual(most);
    pulses.slice(1).forEach((at, i) => expect(at - (pulses[i] ?? 0)).toBeGreaterThan(length));
  });

  it("have at least four harmonics between 300 and 4000 Hz, within 15 dB", () => {
    for (const { pitch } of Object.values(BURSTS)) {
      expect(pitch).toBeGreaterThanOrEqual(150);
      expect(pitch).toBeLessThanOrEqual(1_000);
      const heard = PARTIALS.slice(1).filter((partial, i) => pitch * (i + 2) >= 300 && pitch * (i + 2) <= 4_000 && Math.abs(20 * Math.log10(partial)) <= 15);
      expect(heard.length).toBeGreaterThanOrEqual(4);
    }
  });
});
