/** What to do about a reason for which the service is not ready, by how it begins or what it names. Pure. */

const HELP: readonly (readonly [RegExp, string])[] = [
  [/refuses the service/, "refused"],
  [/broker/, "broker"],
  [/disk is nearly full/, "disk"],
  [/clock/, "clock"],
  [/overloaded/, "overload"],
  [/while the service was away|^recovering/, "backlog"],
  [/stands still|no sign of life/, "still"],
  [/^plan:/, "plan"],
];

export function helpFor(reason: string): string {
  return HELP.find(([about]) => about.test(reason))?.[1] ?? "other";
}
