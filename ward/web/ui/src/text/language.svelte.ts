/** The language of this screen, and `t`: its words. Remembered on this screen; else the browser's; else English. */

import { en } from "./en";

/** Any words in the place of the English ones. */
type Loose<T> = T extends (...given: infer Given) => string
  ? (...given: Given) => string
  : T extends string
    ? string
    : T extends readonly unknown[]
      ? T
      : { [Key in keyof T]: Loose<T[Key]> };

export type Words = Loose<typeof en>;

const CATALOGUES = { en } satisfies Record<string, Words>;

export type Language = keyof typeof CATALOGUES;

/** Each in its own words. */
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English" };

const KEY = "ward.language";

function first(): Language {
  const known = (tag: string | null | undefined): Language | undefined =>
    (Object.keys(CATALOGUES) as Language[]).find((language) => tag === language || tag?.startsWith(`${language}-`));
  try {
    return known(localStorage.getItem(KEY)) ?? navigator.languages.map(known).find(Boolean) ?? "en";
  } catch {
    return "en";
  }
}

let chosen = $state<Language>(first());

export function language(): Language {
  return chosen;
}

export function chooseLanguage(language: Language): void {
  chosen = language;
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // A screen that may not store anything asks its browser again next time.
  }
}

/** Reads the chosen language at each use: what is on the screen changes with it. */
export const t: Words = new Proxy(en as Words, {
  get: (_, name) => CATALOGUES[chosen][name as keyof Words],
});
