/** Lists that people type with commas between. Pure. */

export function listed(text: string): string[] | null {
  const found = text.split(",").map((one) => one.trim()).filter(Boolean);
  return found.length ? found : null;
}
