import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { patternOf, sayFault, sayWrong } from "../src/lib/faults";
import { wordsFor, wrongFields } from "../src/lib/problem";
import { chooseLanguage } from "../src/text/language.svelte";
import { CATALOGUES } from "./catalogues";

const params = (words: string): Set<string | undefined> => new Set([...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
const source = (file: string): string => readFileSync(`../../alerts/${file}.py`, "utf8");

describe("what is wrong with a care plan or a field", () => {
  it("has words in every language, which speak of nothing else", () => {
    const templates = Object.keys(CATALOGUES.en.faults);
    for (const words of Object.values(CATALOGUES)) {
      expect(Object.keys(words.faults)).toEqual(templates);
      for (const [template, said] of Object.entries(words.faults)) {
        expect([...params(said)].filter((name) => !params(template).has(name)), template).toEqual([]);
      }
    }
  });

  it("is known however the service words it", () => {
    const told = [source("plan_file"), source("fields"), source("preview").slice(source("preview").indexOf("def remarks"))]
      .join("\n")
      .replace(/"""[\s\S]*?"""/g, "")
      .split("\n")
      .filter((line) => !/raise PlanError|cannot be read|not UTF-8|title = |import|re\.compile|place = |where = |return f"/.test(line))
      .flatMap((line) => [...line.matchAll(/f?"((?:[^"\\]|\\.)*)"|f?'([^']* [^']*)'/g)].map(([, one, two]) => one ?? two ?? ""))
      .map((words) => words.replace("{one!r}", "'x'").replace(/\{least \/\/ MINUTE\}|\{len\(levels\)\}|\{number\}|\{MOST\}|\{_MOST_LEVELS\}/g, "7").replace(/\{[^}]*\}/g, "x").replace(/; there are: $/, "; there are: x"))
      .filter((words) => /[a-z]+ [a-z]+/.test(words) && !/^(person|team|shift|level|route|field|x) \S+( of \S+)?$/.test(words));
    const patterns = Object.keys(CATALOGUES.en.faults).map(patternOf);
    expect(told.length).toBeGreaterThan(35);
    expect(told.filter((words) => !patterns.some((about) => about.test(words)))).toEqual([]);
  });

  it("is said in the reader's language, with its place", async () => {
    await chooseLanguage("da");
    expect(sayFault("unknown 'x'")).toBe("ukendt: 'x'");
    expect(sayWrong("missing; allowed: a day such as 2026-12-24")).toBe("mangler; tilladt: en dag som 2026-12-24");
    expect(sayWrong("'soon'; allowed: low | medium")).toBe("'soon'; tilladt: low | medium");
    expect(sayFault("level 2 of route 1.after")).toBe("trin 2 i route 1.after");
    const wrong = { field: "level 2 of route 1.after", message: "not later than the level before; allowed: a longer wait, such as 5m", line: 11 };
    expect(wrongFields({ errors: [wrong] })[0]?.message).toBe("ikke senere end trinnet før; tilladt: en længere ventetid, som 5m");
    const body = { code: "fields", detail: "body.minutes: Input should be less than or equal to 240", errors: [{ field: "body.minutes", message: "Input should be less than or equal to 240" }] };
    expect(wordsFor(422, body)).toBe("Noget af det indtastede kan ikke bruges (minutes: 240 eller mindre).");
    const zone = { type: "/problems/invalid", detail: "…", errors: [{ field: "zone", message: "there is no time zone 'Mars/Base'; one is named like Europe/Copenhagen" }] };
    expect(wordsFor(422, zone)).toContain("tidszonen 'Mars/Base' findes ikke");
    const page = { type: "/problems/invalid", detail: "…", errors: [{ field: "limit", message: "limit must be 1 to 1000" }] };
    expect(wordsFor(422, page)).toBe("Noget af det indtastede kan ikke bruges (limit: 1 til 1000).");
    const rule = { type: "/problems/invalid-rule", detail: "…", errors: [{ field: "a.for", message: "0s; allowed: more than zero" }] };
    expect(wordsFor(422, rule)).toContain("for: 0s; tilladt: mere end nul");
    await chooseLanguage("en");
  });
});
