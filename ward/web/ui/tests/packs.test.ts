import { expect, it } from "vitest";
import { differences, type PackRule } from "../src/packs/compare";

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
