/** Every word the dashboard says: one catalogue a language, one file a screen, all of the same shape. */

export { chooseLanguage, language, LANGUAGES, LOCALES, openLanguage, t, type Language, type Words } from "./language.svelte";
