/** Every call that names its path in a text asks what the API has. (`request` is checked by the compiler.) */

import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const ROOT = new URL("../src/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, ROOT), "utf8");

/** 'GET stays/*' for every operation of the description. */
function operations(): string[] {
  const found: string[] = [];
  let path = "";
  for (const line of read("lib/api-types.ts").split("export interface components")[0]?.split("\n") ?? []) {
    const key = /^ {4}"?([^"\s:]+)"?: \{$/.exec(line);
    const method = /^ {8}(get|put|post|patch|delete): \{$/.exec(line);
    if (key) path = (key[1] ?? "").replace(/\{\w+\}/g, "*");
    else if (method) found.push(`${method[1]?.toUpperCase()} ${path}`);
  }
  return found;
}

/** Parts of an address that are functions of what is asked about, in their files. */
const SHORT: Readonly<Record<string, string>> = {
  "shift/api.ts of": "wards/*",
  "admin/api.ts planOf": "wards/*/plan",
  "admin/api.ts user": "users/*",
  "admit/api.ts at": "stays/*",
};

const calls = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") || name.endsWith(".svelte"))
  .flatMap((name) =>
    [...read(name).matchAll(/\bcall<[^(]*>\(\s*"(\w+)",\s*(?:"([^"]*)"|`([^`]*)`|(\w+)\()/g)].map((found) => {
      const written = found[2] ?? found[3] ?? `\${${found[4]}()}`;
      const path = written
        .replace(/\$\{(\w+)\([^}]*\)\}/g, (_, maker: string) => SHORT[`${name.replaceAll("\\", "/")} ${maker}`] ?? "*")
        .replace(/\$\{[^}]*\}/g, "*")
        .replace(/\?.*$/, "");
      return [`${name}: ${found[1]} ${path}`, `${found[1]} ${path}`] as const;
    }),
  );

it("finds the calls and the operations", () => expect([operations().length > 50, operations().includes("GET stays/*")]).toEqual([true, true]));

it.each(calls)("%s", (_, call) => expect(operations()).toContain(call));
