/** No text is missing, empty, left in English, or written past the catalogues. */

import { readdirSync, readFileSync } from "node:fs";
import { parse, type AST } from "svelte/compiler";
import { describe, expect, it } from "vitest";
import { known } from "../src/text/language.svelte";
import { CATALOGUES } from "./catalogues";

type Leaf = string | ((...given: never[]) => string);

/** Every text by its path, such as `act.assessments.0.1`. */
function leaves(node: unknown, path = ""): Map<string, Leaf> {
  if (typeof node === "string" || typeof node === "function") return new Map([[path, node as Leaf]]);
  expect(typeof node, path).toBe("object");
  return new Map(
    Object.entries(node as object).flatMap(([key, value]) => [...leaves(value, path ? `${path}.${key}` : key)]),
  );
}

/** What a function of the catalogue may be given: a text, a number, several texts. Texts come out as they went in. */
const SAMPLES: readonly unknown[] = ["ALPHA", 7, ["ALPHA", "BRAVO"]];

/** The first kinds of arguments with which the English words make sense, and so must the others. */
function given(words: Leaf): unknown[] {
  if (typeof words === "string") return [];
  const arity = words.length;
  for (let n = 0; n < SAMPLES.length ** arity; n++) {
    const sample = Array.from({ length: arity }, (_, i) => SAMPLES[Math.floor(n / SAMPLES.length ** i) % SAMPLES.length]);
    try {
      const said = (words as (...all: unknown[]) => string)(...sample);
      if (typeof said === "string" && !/undefined|NaN|\[object/.test(said)) return sample;
    } catch {
      // Not what it takes.
    }
  }
  throw new Error(`no arguments that these words take: ${String(words)}`);
}

const say = (words: Leaf, all: unknown[]): string =>
  typeof words === "string" ? words : (words as (...all: unknown[]) => string)(...all);

const WORDS = /\p{L}{2,}/u;
const ENGLISH = leaves(CATALOGUES.en);
const OTHERS = (["da", "nb"] as const).map((language) => [language, leaves(CATALOGUES[language])] as const);

/** The same in these languages: names, symbols, abbreviations, loan words. Whole branches end in a dot. */
const SAME = new Set([
  "handover.patient",
  "account.roles.admin",
  "account.roles.integration",
  "act.assessments.0.0",
  "act.assessments.1.0",
  "act.assessments.2.0",
  "act.minutes",
  "app",
  "card.news",
  "card.worst",
  "flagsShort.bmi40",
  "flagsShort.copd",
  "flagsShort.under-16",
  "header.live",
  "header.menu",
  "header.speed",
  "health.broker",
  "health.database",
  "keys.list.10.0",
  "newsParts.oxygen",
  "newsParts.spo2",
  "newsParts.temp",
  "risk.seen.stands",
  "short.map",
  "short.spo2",
  "short.temp",
  "signals.news2",
  "stay.newsTitle",
  "time.min",
  "title",
  "packs.change",
  "units.",
]);

const mayBeSame = (path: string, said: string): boolean =>
  !WORDS.test(said.replace(/ALPHA|BRAVO/g, "")) ||
  SAME.has(path) || [...SAME].some((branch) => branch.endsWith(".") && path.startsWith(branch));

it.each(OTHERS)("%s has every text, and none that English has not", (_, texts) => {
  expect([...texts.keys()].sort()).toEqual([...ENGLISH.keys()].sort());
});

it.each([["en", ENGLISH] as const, ...OTHERS])("%s has no empty text, and none with blanks at its ends", (_, texts) => {
  const bad = [...texts].filter(([path, words]) => {
    const said = say(words, given(ENGLISH.get(path) ?? words));
    return !said.trim() || (typeof words === "string" && said !== said.trim());
  });
  expect(bad.map(([path]) => path)).toEqual([]);
});

it.each(OTHERS)("%s says of every text what English says of it, in its own words", (_, texts) => {
  const bad: string[] = [];
  for (const [path, words] of texts) {
    const english = ENGLISH.get(path);
    if (english === undefined) continue;
    if (typeof words !== typeof english) bad.push(`${path} is not of the same kind`);
    else if (typeof words === "function" && words.length !== (english as () => string).length) bad.push(`${path} takes other arguments`);
    else {
      const sample = given(english);
      const [own, theirs] = [say(words, sample), say(english, sample)];
      const mentioned = (said: string): string => (said.match(/ALPHA|BRAVO|\b7\b/g) ?? []).sort().join();
      if (mentioned(own) !== mentioned(theirs)) bad.push(`${path} says '${own}' for '${theirs}'`);
      if (own === theirs && !mayBeSame(path, own)) bad.push(`${path} is '${own}' in both`);
    }
  }
  expect(bad).toEqual([]);
});

it("lets nothing be the same that is not there", () => {
  const branches = (path: string): boolean => (path.endsWith(".") ? [...ENGLISH.keys()].some((one) => one.startsWith(path)) : ENGLISH.has(path));
  expect([...SAME].filter((path) => !branches(path))).toEqual([]);
});

it("speaks of the same things in every language", () => {
  const places = (texts: Map<string, Leaf>): unknown => [...texts].flatMap(([path, words]) => {
    const found = typeof words === "string" ? (words.match(/\{\w+\}/g) ?? []).sort().join() : "";
    return found ? [[path, found]] : [];
  });
  for (const [, texts] of OTHERS) expect(places(texts)).toEqual(places(ENGLISH));
});

/** These are given a duration or a point in time, never an age. */
const NO_AGE = new Set(["notLive.since", "drafts.conflictText"]);

it.each([["en", ENGLISH, "now"] as const, ["da", OTHERS[0]?.[1], "nu"] as const, ["nb", OTHERS[1]?.[1], "nå"] as const])(
  "%s never says that now is ago",
  (_, texts, now) => {
    const bad = [...(texts ?? [])].filter(([path, words]) => {
      if (NO_AGE.has(path) || typeof words === "string" || words.length !== 1 || Array.isArray(given(words)[0])) return false;
      return new RegExp(`${now} (ago|siden)`).test(say(words, [now]));
    });
    expect(bad.map(([path]) => path)).toEqual([]);
  },
);

it("knows a language by any of its tags", () => {
  expect(["da", "da-DK", "nb_NO", "no", "nn-NO", "EN-us"].map(known)).toEqual(["da", "da", "nb", "nb", "nb", "en"]);
  expect(["sv", "", "toString", null].map(known)).toEqual([undefined, undefined, undefined, undefined]);
});

const SPOKEN = new Set(["aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "alt", "title", "placeholder", "label"]);

interface Node {
  type: string;
  [field: string]: unknown;
}

/** Words in the markup that no catalogue gives. What stands in <code> is typed, not read. */
function spoken(node: Node, found: string[]): string[] {
  if (node.type === "Text" && WORDS.test(String(node["data"]))) found.push(String(node["data"]).trim());
  if (node.type === "ExpressionTag" || node.type === "HtmlTag") written(node["expression"] as Node, found);
  if (node.type === "Attribute") {
    if (!SPOKEN.has(String(node["name"]))) return found;
  } else if (/^(Style|On|Bind|Class|Use|Animate|Transition)/.test(node.type)) return found;
  if (node.type === "RegularElement" && node["name"] === "code") return found;
  for (const child of Object.values(node)) {
    for (const one of Array.isArray(child) ? child : [child]) {
      if (one && typeof one === "object" && typeof (one as Node).type === "string") spoken(one as Node, found);
    }
  }
  return found;
}

/** Sentences in an expression that is shown: two words in a literal. Single words are keys. */
function written(node: Node, found: string[]): void {
  const text = node.type === "Literal" ? node["value"] : node.type === "TemplateElement" ? (node["value"] as { cooked: string }).cooked : "";
  if (typeof text === "string" && /\p{L}{2,}[^\p{L}]*\s\p{L}{2,}/u.test(text)) found.push(text);
  for (const child of Object.values(node)) {
    for (const one of Array.isArray(child) ? child : [child]) {
      if (one && typeof one === "object" && typeof (one as Node).type === "string") written(one as Node, found);
    }
  }
}

describe("every component takes its words from the catalogues", () => {
  const root = new URL("../src/", import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".svelte"));
  it.each(files)("%s", (name) => {
    const tree: AST.Root = parse(readFileSync(new URL(name, root), "utf8"), { modern: true });
    expect(spoken(tree.fragment as unknown as Node, [])).toEqual([]);
  });

  it("would be told if one did not", () => {
    const tree = parse(`<p title="Good day">{#if a}Hello{:else}{b ? "not sent" : t.x}{/if}<code>ward user add</code></p>`, { modern: true });
    expect(spoken(tree.fragment as unknown as Node, [])).toEqual(["Good day", "Hello", "not sent"]);
  });
});
