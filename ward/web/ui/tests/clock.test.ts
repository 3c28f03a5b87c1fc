import { describe, expect, it } from "vitest";
import { ms, serverNow, Uptime } from "../src/lib/clock";

describe("the server's time", () => {
  it("runs on from what was last heard, at the server's speed", () => {
    expect(serverNow({ server: 1_000_000, heardAt: 500, speed: 1 }, 2_500)).toBe(1_002_000);
    expect(serverNow({ server: 1_000_000, heardAt: 500, speed: 60 }, 2_500)).toBe(1_120_000);
  });
});

describe("uptime", () => {
  function fake(): { uptime: Uptime; go: (steady: number, wall: number) => void } {
    let [steady, wall] = [100, 1_000_000];
    return {
      uptime: new Uptime(() => steady, () => wall),
      go: (ds, dw) => {
        steady += ds;
        wall += dw;
      },
    };
  }

  it("counts elapsed time", () => {
    const { uptime, go } = fake();
    go(3_000, 3_000);
    expect(uptime.read()).toBe(3_000);
  });

  it("counts the sleep of a suspended machine, which the steady clock may leave out", () => {
    const { uptime, go } = fake();
    go(100, 3_600_000);
    expect(uptime.read()).toBe(3_600_000);
  });

  it("does not stand still or run backwards when somebody sets the wall clock", () => {
    const { uptime, go } = fake();
    go(1_000, 7_200_000);
    uptime.read();
    go(5_000, -7_200_000);
    expect(uptime.read()).toBe(7_205_000);
    go(9_000, 9_000);
    expect(uptime.read()).toBe(7_214_000);
  });
});

it("reads times, and knows that an absent one is none", () => {
  expect(ms("2026-11-21T03:00:00.250Z")).toBe(1795230000250);
  expect(ms(5)).toBe(5);
  expect(ms(null)).toBeNull();
  expect(ms("yesterday")).toBeNull();
});
