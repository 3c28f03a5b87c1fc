/** What must not be mistaken for something else, whatever eyes look: by colour where that can be, always by shape. */

import { render } from "svelte/server";
import { describe, expect, it } from "vitest";
import Symbol from "../src/components/Symbol.svelte";
import { apart, SIGHTS, THEMES } from "./colours";

const PRIORITIES = ["high", "medium", "low"];
/** ΔE*ab: seen at a glance, from afar. */
const AT_A_GLANCE = 14;
/** Seen side by side. */
const PLAIN = 9;

const pairs = <T>(all: readonly T[]): [T, T][] => all.flatMap((one, i) => all.slice(i + 1).map((other): [T, T] => [one, other]));

describe.each(Object.entries(THEMES))("by %s", (_, theme) => {
  describe.each(Object.entries(SIGHTS))("with %s", (sight, seen) => {
    const between = (one: string, other: string): number => apart(theme[one] ?? "", theme[other] ?? "", seen);

    it.each(pairs([...PRIORITIES, "card"]))("%s is not %s", (one, other) => expect(between(one, other)).toBeGreaterThan(AT_A_GLANCE));

    // Who sees no colours has the shape alone.
    it.each(sight === "achromatopsia" ? [] : PRIORITIES)("%s is not what is good", (one) => expect(between(one, "good")).toBeGreaterThan(PLAIN));
  });
});

it("gives everything that may be beside an alert a shape of its own", () => {
  const needs = [...(PRIORITIES as ["high"]), "technical", "pending", "shelved", "acknowledged"] as const;
  const drawn = needs.map((need) => render(Symbol, { props: { need } }).body);
  expect(new Set(drawn).size).toBe(needs.length);
});

it("sees as those do: red and green of one brightness are one colour without red cones, and greys stay grey", () => {
  expect(apart("#a04040", "#606000", SIGHTS.deuteranopia ?? [])).toBeLessThan(apart("#a04040", "#606000", SIGHTS.usual ?? []) / 2);
  for (const seen of Object.values(SIGHTS)) expect(apart("#808080", "#000", seen)).toBeCloseTo(53.6, 0);
});
