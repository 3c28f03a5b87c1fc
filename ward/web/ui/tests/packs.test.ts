import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { differences, type PackRule } from "../src/packs/compare";
import { patternOf, sayFault } from "../src/lib/faults";
import { lineSpan, packText, proposal, typed } from "../src/packs/text";
import { CATALOGUES } from "./catalogues";

const rule = (id: string, more: Partial<PackRule> = {}): PackRule =>
  ({ id, title: id, titles: {}, priority: "high", kind: "physiological", when: ["spo2 < 88"], for: "10m", clear_for: "2m", min_readings: 2, clear_when: [], unless: [], inhibits: [], evidence: "", ...more }) as PackRule;

it("tells what is new, what does something else, and what is gone", () => {
  const found = differences([rule("a"), rule("b"), rule("c")], [rule("b", { for: "5m", unless: ["copd"] }), rule("d"), rule("a")]);
  expect(found.map(({ id, fields, before, after }) => [id, fields, before !== null, after !== null])).toEqual([
    ["b", ["for", "unless"], true, true],
    ["d", [], false, true],
    ["c", [], true, false],
  ]);
});

it("takes a name, its evidence, and what is left out for no difference", () => {
  const { clear_when: _, ...without } = rule("a", { title: "Other", evidence: "A trial" });
  expect(differences([rule("a")], [without as PackRule])).toEqual([]);
});

it("writes the text of a pack, without what is empty", () => {
  const text = packText({ id: "p", title: 'A "b"', source: "", rules: [rule("a", { titles: { da: "å" } })] });
  expect(text).toBe(
    'id = "p"\ntitle = "A \\"b\\""\n\n[[rule]]\nid = "a"\ntitle = "a"\ntitles = { da = "å" }\npriority = "high"\nkind = "physiological"\nwhen = ["spo2 < 88"]\nfor = "10m"\nclear_for = "2m"\nmin_readings = 2\n',
  );
  expect(text.slice(...lineSpan(text, 5))).toBe('id = "a"');
});

it("proposes new rules first, then changed ones, then those that go", () => {
  const found = proposal([rule("a"), rule("b")], [rule("b", { for: "5m", gap: null }), rule("d")]);
  expect(found.map(({ id, retired, for: length }) => [id, retired, length])).toEqual([
    ["d", undefined, "10m"],
    ["b", undefined, "5m"],
    ["a", true, undefined],
  ]);
  expect(found[1]).not.toHaveProperty("gap");
});

it("takes lists a line each, and numbers as numbers", () => {
  expect(typed(rule("a"), "when", " spo2 < 80 \n\nhr > 100").when).toEqual(["spo2 < 80", "hr > 100"]);
  expect(typed(rule("a"), "min_readings", "3").min_readings).toBe(3);
  expect(typed(rule("a"), "min_readings", "many").min_readings).toBe("many");
});

describe("what is wrong with a pack", () => {
  const source = (file: string): string => readFileSync(`../../alerts/${file}.py`, "utf8");

  it("is known however the service words it", () => {
    const told = [...source("packs"), "\n", ...source("clauses"), "\n", ...source("durations")].join("").split("\n")
      .filter((line) => /(ValueError|ClauseError|Problem|fail|found = |ALLOWED: Final = |ID_ALLOWED: Final = )/.test(line) && !/"""|class |raise PackError\(str|"field"|import/.test(line))
      .flatMap((line) => [...line.matchAll(/f?"([^"]*)"|'("signal op.*)'|'(a number and .*)'/g)].map(([, one, two, three]) => one ?? two ?? three ?? ""))
      .map((words) => words.replace(/\{[^}]*\}/g, "'x'"))
      .filter((words) => /[a-z]+ [a-z]+/.test(words) && !/^(no\. |cannot be read|'x'; allowed|without id)/.test(words));
    const patterns = Object.keys(CATALOGUES.en.faults).map(patternOf);
    expect(told.length).toBeGreaterThan(18);
    expect(told.filter((words) => !patterns.some((about) => about.test(words + (words.endsWith(" ") ? "x" : ""))))).toEqual([]);
  });

  it("stands as it is where it is a value or a list", () => {
    expect(sayFault("'soon'")).toBe("'soon'");
    expect(sayFault("unknown rule 'x'")).toContain("'x'");
  });
});
