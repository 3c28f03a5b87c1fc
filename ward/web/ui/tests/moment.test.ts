import { expect, it } from "vitest";
import { momentTyped } from "../src/lib/format";
import { parseClock, parseMoment } from "../src/lib/moment";
import { chooseLanguage } from "../src/text";

const NOW = new Date(2026, 10, 22, 14, 5).getTime();
const at = (...parts: [number, number, number, number?, number?]): number => new Date(...parts).getTime();

it.each([
  ["3.12", "03:12"],
  ["03:12", "03:12"],
  ["0312", "03:12"],
  [" 23 ", "23:00"],
  ["24:00", null],
  ["3:6", null],
  ["3:60", null],
  ["noon", null],
])("reads %s as the time %s", (text, clock) => expect(parseClock(text)).toBe(clock));

it.each([
  ["21.11.2026 14.32", at(2026, 10, 21, 14, 32)],
  ["21/11/2026 14:32", at(2026, 10, 21, 14, 32)],
  ["21-11-26, 1432", at(2026, 10, 21, 14, 32)],
  ["21.11. 8", at(2026, 10, 21, 8)],
  ["21.11", at(2026, 10, 21)],
  ["1.12 09:00", at(2025, 11, 1, 9)],
  ["13:15", at(2026, 10, 22, 13, 15)],
  ["1315", at(2026, 10, 22, 13, 15)],
  ["30.02.2026", null],
  ["21.13.2026", null],
  ["21.11.2026 25:00", null],
  ["yesterday", null],
])("reads %s as the moment that is meant", (text, moment) => expect(parseMoment(text, NOW)).toBe(moment));

it.each(["da", "en", "nb"] as const)("reads in %s what it writes", async (language) => {
  await chooseLanguage(language);
  expect(parseMoment(momentTyped(NOW), NOW)).toBe(NOW);
  await chooseLanguage("en");
});
