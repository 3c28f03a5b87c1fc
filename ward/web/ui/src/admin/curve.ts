/** A metric over time as a line of a small picture. Pure. */

export interface Line {
  /** SVG path in a box of `width` × `height`; what is not known is a gap. */
  path: string;
  most: number | null;
  last: number | null;
}

export function lineOf(values: readonly (number | null)[], width: number, height: number): Line {
  const known = values.filter((value): value is number => value !== null);
  const most = known.length ? Math.max(...known) : null;
  const top = most || 1;
  const step = width / Math.max(1, values.length - 1);
  let path = "";
  let drawing = false;
  values.forEach((value, i) => {
    if (value === null) drawing = false;
    else {
      const [x, y] = [Math.round(i * step * 10) / 10, Math.round((height - (value / top) * height) * 10) / 10];
      // A point alone is a dot: a line of no length with round ends.
      path += drawing ? `L${x} ${y}` : `M${x} ${y}L${x} ${y}`;
      drawing = true;
    }
  });
  return { path, most, last: values.at(-1) ?? null };
}

/** As many decimals as a person wants of it. */
export function decimals(value: number): number {
  return Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
}
