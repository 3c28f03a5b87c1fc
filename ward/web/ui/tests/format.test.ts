import { afterEach, describe, expect, it } from "vitest";
import { age, clock, clockSeconds, countdown, dateTime, day, duration, number, parseNumber, plain, pretty, shortAge } from "../src/lib/format";
import { chooseLanguage, language, t } from "../src/text";

afterEach(() => chooseLanguage("en"));

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

describe("every language writes in its own way", () => {
  // 5 November 2026, 14:32:05 wherever this runs.
  const at = new Date(2026, 10, 5, 14, 32, 5).getTime();
  it.each([
    ["en", "37.5", "0.25", "14:32", "14:32:05", "Thursday", "5 Nov 2026, 14:32", "1 h 35 min", "now"],
    ["da", "37,5", "0,25", "14.32", "14.32.05", "torsdag", "5. nov. 2026, 14.32", "1 t 35 min", "nu"],
    ["nb", "37,5", "0,25", "14:32", "14:32:05", "torsdag", "5. nov. 2026, 14:32", "1 t 35 min", "nå"],
  ] as const)("%s", async (tongue, degrees, quarter, minute, second, weekday, full, long, now) => {
    await chooseLanguage(tongue);
    expect([number(37.5, 1), plain(0.25), clock(at, at), clockSeconds(at), dateTime(at), duration(95 * M), age(0)]).toEqual([
      degrees, quarter, minute, second, full, long, now,
    ]);
    expect(day(at)).toContain(weekday);
    expect(clock(at, at + 30 * H)).toContain(minute);
    expect(clock(at, at + 30 * H)).toMatch(/5\.? nov/i);
    expect(number(1234.5, 0)).toMatch(/^123[45]$/);
  });

  it("changes what is said from then on", async () => {
    expect([language(), t.act.failed]).toEqual(["en", "NOT SENT"]);
    await chooseLanguage("da");
    expect([language(), t.act.failed]).toEqual(["da", "IKKE SENDT"]);
  });

  it.each(["en", "da", "nb"] as const)("%s never says that now is ago", async (tongue) => {
    await chooseLanguage(tongue);
    for (const words of [t.header.lastMessage, t.risk.age, t.stay.seen, (age: string) => t.stay.lastEntered("", age)]) {
      expect(words(age(0))).not.toMatch(/ago|siden/);
      expect(words(age(5 * M))).toMatch(/ago|siden/);
    }
    expect(t.card.pending(countdown(0))).not.toBe(t.card.pending("x").replace("x", countdown(0)));
  });
});

it("reads numbers with a comma or a point, and nothing else as a number", () => {
  expect(["37,5", " 37.5 ", "-2", "−2", "88"].map(parseNumber)).toEqual([37.5, 37.5, -2, -2, 88]);
  expect(["", "x", "3,", "1.234,5", "1e3", "٣"].map(parseNumber)).toEqual([null, null, null, null, null, null]);
});
