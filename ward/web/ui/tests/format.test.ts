import { describe, expect, it } from "vitest";
import { age, countdown, duration, pretty, shortAge } from "../src/lib/format";

const S = 1_000;
const M = 60 * S;
const H = 60 * M;

describe("ages", () => {
  it.each([
    [-5 * S, "now"],
    [0, "now"],
    [9.9 * S, "now"],
    [10 * S, "10 s"],
    [59 * S, "50 s"],
    [60 * S, "1 min"],
    [59.9 * M, "59 min"],
    [H, "1 h"],
    [95 * M, "1 h 35 min"],
    [49 * H, "2 d 1 h"],
  ])("%d ms is %s", (ms, words) => expect(age(ms)).toBe(words));

  it("are shorter in a cell", () => {
    expect(shortAge(95 * M)).toBe("1 h 35");
    expect(shortAge(7 * M)).toBe("7 min");
    expect(shortAge(2 * H)).toBe("2 h");
  });

  it("never round up: an age is at least what it says", () => expect(duration(119 * S)).toBe("1 min"));
});

describe("time left", () => {
  it.each([
    [0, "due"],
    [1, "0:01"],
    [61 * S, "1:01"],
    [5 * M, "5:00"],
    [5 * M + 1, "6 min"],
    [59.5 * M, "60 min"],
    [60.5 * M, "1 h 1 min"],
  ])("%d ms is %s", (ms, words) => expect(countdown(ms)).toBe(words));
});

it("writes gases and comparisons as the field does", () => {
  expect(pretty("SpO2 >= 92 on O2")).toBe("SpO₂ ≥ 92 on O₂");
  expect(pretty("NEWS2 7 or more")).toBe("NEWS2 7 or more");
});
