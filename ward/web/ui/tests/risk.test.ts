import { expect, it } from "vitest";
import { riskWords } from "../src/lib/risk";
import type { RiskScore } from "../src/lib/types";
import { chooseLanguage } from "../src/text";
import { at, MINUTE, NOW } from "./make";

const KNOWN: RiskScore = {
  state: "known",
  value: 0.184,
  low: 0.11,
  high: 0.292,
  above: 93,
  computed_at: at(3 * MINUTE),
  missing: [],
  contributions: [
    { group: "breathing", log_odds: 0.9, words: "RR rose from 16 to 24 in 4 h" },
    { group: "oxygen", log_odds: 0.4, words: "SpO2 fell from 97 to 93 % in 6 h" },
    { group: "heart rate", log_odds: 0.05, words: "HR steady at 84" },
    { group: "temperature", log_odds: -0.2, words: "Temperature steady at 36.9 °C" },
  ],
};

it("never shows a number without its interval, its age and its reasons", () => {
  const shown = riskWords(KNOWN, NOW);
  expect(shown).toEqual({
    known: true,
    text: "0.18",
    range: "between 0.11 and 0.29",
    standing: "Higher than 93 % of the hours it learned from",
    age: "Computed 3 min ago",
    up: ["RR rose from 16 to 24 in 4 h", "SpO₂ fell from 97 to 93 % in 6 h"],
    down: ["Temperature steady at 36.9 °C"],
    lacks: "",
  });
});

it("says in the chosen language what is seen of each signal", async () => {
  const seen = [
    { signal: "rr", course: "rose", value: 24, before: 16, hours: 4 },
    { signal: "temp", course: "steady", value: 38.44, away: "high", typical: 36.9 },
    { signal: "sbp", course: "unmeasured", value: 118, hours: 3 },
  ] as const;
  const contributions = seen.map((one) => ({ group: one.signal, log_odds: 1, words: "in English", seen: one }));
  const said = (): string[] | undefined => riskWords({ ...KNOWN, contributions }, NOW)?.up;
  expect(said()).toEqual([
    "Respiratory rate rose from 16 to 24 /min in 4 h",
    "Temperature steady at 38.4 °C, high beside a typical 36.9",
    "Systolic pressure not measured now; 118 mmHg 3 h ago",
  ]);
  await chooseLanguage("da");
  expect(said()).toEqual([
    "Respirationsfrekvens steget fra 16 til 24 /min på 4 t",
    "Temperatur stabil på 38,4 °C, høj i forhold til typisk 36,9",
    "Systolisk blodtryk måles ikke nu; 118 mmHg for 3 t siden",
  ]);
  await chooseLanguage("en");
});

it("says when there is not enough to say", () => {
  const shown = riskWords({ state: "not-enough-data", value: null, missing: ["rr", "spo2"], computed_at: null }, NOW);
  expect(shown).toMatchObject({ known: false, text: "not enough data", range: "", age: "", up: [], down: [] });
  expect(shown?.lacks).toBe("Not measured now: Respiratory rate, SpO₂");
});

it("takes a number without its interval for unknown", () => {
  expect(riskWords({ ...KNOWN, low: null }, NOW)).toMatchObject({ known: false, text: "not enough data", up: [] });
});

it("never says none or certain", () => {
  const shown = riskWords({ ...KNOWN, value: 0.001, low: 0.0002, high: 0.998 }, NOW);
  expect([shown?.text, shown?.range]).toEqual(["< 0.01", "between < 0.01 and > 0.99"]);
});

it("shows nothing where there is no model", () => {
  expect(riskWords({ state: "no-model" }, NOW)).toBeNull();
});
