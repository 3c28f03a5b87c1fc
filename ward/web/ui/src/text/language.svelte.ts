/**
 * The language of this screen, and `t`: its words. Asked for in the address (`?lang=da`, for screens that nobody
 * touches), else chosen on this screen earlier, else the browser's, else English. A catalogue is fetched when its
 * language is chosen: nobody carries the other two.
 */

import type { en } from "./en";

/** Any words in the place of the English ones. */
type Loose<T> = T extends (...given: infer Given) => string
  ? (...given: Given) => string
  : T extends string
    ? string
    : T extends readonly unknown[]
      ? T
      : { [Key in keyof T]: Loose<T[Key]> };

export type Words = Loose<typeof en>;

export type Language = "da" | "en" | "nb";

const CATALOGUES: Readonly<Record<Language, () => Promise<Words>>> = {
  da: async () => (await import("./da")).da,
  en: async () => (await import("./en")).en,
  nb: async () => (await import("./nb")).nb,
};

/** Each in its own words. */
export const LANGUAGES: Readonly<Record<Language, string>> = { da: "Dansk", en: "English", nb: "Norsk" };

/** Whose way it is to write numbers and times. */
export const LOCALES: Readonly<Record<Language, string>> = { da: "da-DK", en: "en-GB", nb: "nb-NO" };

const KEY = "ward.language";
const ALIASES: Readonly<Record<string, Language>> = { no: "nb", nn: "nb" };

/** The language that a tag ('nb-NO', 'no', 'da') means, if it is one of ours. */
export function known(tag: string | null | undefined): Language | undefined {
  const short = tag?.toLowerCase().split(/[-_]/)[0] ?? "";
  return short in CATALOGUES ? (short as Language) : ALIASES[short];
}

function remember(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // A screen that may not store anything asks its address and its browser again next time.
  }
}

function remembered(): Language | undefined {
  try {
    return known(localStorage.getItem(KEY));
  } catch {
    return undefined;
  }
}

function first(): Language {
  const asked = known(typeof location === "undefined" ? null : new URLSearchParams(location.search).get("lang"));
  if (asked) remember(asked);
  const browser = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  return asked ?? remembered() ?? browser.map(known).find(Boolean) ?? "en";
}

/** Screen readers pronounce the page by it, and browsers hyphenate and translate by it. */
function tellDocument(language: Language): void {
  if (typeof document !== "undefined") document.documentElement.lang = language;
}

let chosen = $state<Language>("en");
/** Null only until `openLanguage` is through: nothing is mounted before. */
let words = $state.raw<Words | null>(null);

export function language(): Language {
  return chosen;
}

async function show(language: Language): Promise<void> {
  words = await CATALOGUES[language]();
  chosen = language;
  tellDocument(language);
}

/** To be waited for before anything is said. */
export const openLanguage = (): Promise<void> => show(first());

/** The screen stays as it is where the words cannot be had. */
export async function chooseLanguage(language: Language): Promise<void> {
  await show(language);
  remember(language);
}

/** Reads the words that are there now at each use: what is on the screen changes with them. */
export const t: Words = new Proxy({} as Words, {
  get: (_, name) => words?.[name as keyof Words],
});
