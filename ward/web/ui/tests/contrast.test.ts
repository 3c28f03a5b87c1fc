/** Every pair of colours that carries words or tells a thing's border, in both themes (WCAG 2.2: 1.4.3, 1.4.11). */

import { describe, expect, it } from "vitest";
import { linear, THEMES } from "./colours";

/** Relative luminance, as WCAG defines it. */
function luminance(hex: string): number {
  const [red, green, blue] = linear(hex);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const SURFACES = ["page", "card", "card-raised"];
const TINTS = ["high-tint", "medium-tint", "low-tint"];
const WORDS: readonly [ink: string, on: readonly string[]][] = [
  ["ink", [...SURFACES, ...TINTS, "stripe"]],
  ["ink-2", [...SURFACES, ...TINTS, "stripe"]],
  // Stale, muted, and the ages beside every value.
  ["ink-3", [...SURFACES, ...TINTS]],
  ["quiet", ["page", "card"]],
  ["high-ink", [...SURFACES, "high-tint"]],
  ["medium-ink", [...SURFACES, "medium-tint"]],
  ["low-ink", [...SURFACES, "low-tint"]],
  ["on-high", ["high"]],
  ["on-medium", ["medium"]],
  ["on-low", ["low"]],
  ["technical", [...SURFACES, "stripe"]],
  ["pending", SURFACES],
  ["good", SURFACES],
  // A button that is pressed or strong: light on dark turned round.
  ["page", ["ink"]],
];
/** What must be told from what lies beside it, and is no text. */
const SHAPES: readonly [string, readonly string[]][] = [
  ["focus", [...SURFACES, ...TINTS]],
  ["high", ["page", "card"]],
];

describe.each(Object.entries(THEMES))("by %s", (_, theme) => {
  const pairs = (table: typeof WORDS): [string, string][] => table.flatMap(([ink, on]) => on.map((surface): [string, string] => [ink, surface]));
  const of = (name: string): string => theme[name] ?? "";

  it.each(pairs(WORDS))("%s can be read on %s", (ink, surface) => {
    expect([of(ink), of(surface)].every(Boolean)).toBe(true);
    expect(contrast(of(ink), of(surface))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(pairs(SHAPES))("%s is seen on %s", (shape, surface) => expect(contrast(of(shape), of(surface))).toBeGreaterThanOrEqual(3));
});

it("measures as WCAG does", () => {
  expect(contrast("#fff", "#000")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});
