/** The tokens of both themes, and how colours are seen. */

import { readFileSync } from "node:fs";

const CSS = readFileSync(new URL("../src/styles/base.css", import.meta.url), "utf8");

function tokens(selector: RegExp): Record<string, string> {
  const block = selector.exec(CSS)?.[1] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{3,6})\b/g)].map(([, name, colour]) => [name, colour]));
}

const dark = tokens(/^:root \{([^}]*)\}/m);
export const THEMES: Readonly<Record<string, Record<string, string>>> = {
  night: dark,
  day: { ...dark, ...tokens(/:root\[data-theme="light"\] \{([^}]*)\}/) },
};

type Triple = readonly [number, number, number];

/** Linear red, green and blue, 0 to 1 (sRGB). */
export function linear(hex: string): Triple {
  const long = hex.length === 4 ? hex.replace(/[0-9a-f]/g, "$&$&") : hex;
  const channel = (at: number): number => {
    const value = parseInt(long.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

const times = (matrix: readonly Triple[], [x, y, z]: Triple): Triple =>
  matrix.map(([a, b, c]) => a * x + b * y + c * z) as unknown as Triple;

const GREY: Triple = [0.2126, 0.7152, 0.0722];
/** As people see linear RGB who lack one kind of cone, or all (Machado, Oliveira and Fernandes 2009, severity 1). */
export const SIGHTS: Readonly<Record<string, readonly Triple[]>> = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
  achromatopsia: [GREY, GREY, GREY],
};

const XYZ: readonly Triple[] = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];
const WHITE: Triple = [0.9505, 1, 1.089];

/** CIE L*a*b* of linear RGB (D65). */
function lab(colour: Triple): Triple {
  const f = (value: number): number => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116);
  const [x, y, z] = times(XYZ, colour.map((value) => Math.min(1, Math.max(0, value))) as unknown as Triple).map((v, i) => f(v / (WHITE[i] ?? 1)));
  return [116 * (y ?? 0) - 16, 500 * ((x ?? 0) - (y ?? 0)), 200 * ((y ?? 0) - (z ?? 0))];
}

/** ΔE*ab of two colours as they are seen with a sight: about 2 is just noticed side by side. */
export function apart(one: string, other: string, sight: readonly Triple[]): number {
  const [a, b] = [lab(times(sight, linear(one))), lab(times(sight, linear(other)))];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
