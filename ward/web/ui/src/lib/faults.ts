/**
 * What is wrong with a pack, a care plan or a form, in the reader's language: the service says what it found and what is
 * allowed in English, for files and the command line; here by how it words it. Pure but for the language.
 */

import { t } from "../text";
import { fill } from "./format";

/** `t.faults` has the service's words themselves, with `{…}` for what they speak of: the first that fit count. */
export function patternOf(template: string): RegExp {
  const plain = template.replace(/[[\].|]/g, "\\$&").replace(/\{(\w+)\}/g, "(?<$1>.*)");
  return new RegExp(`^${plain}$`, "s");
}

/** As the service says it where nobody has words for it: values, and lists of what there is. */
export function sayFault(words: string): string {
  for (const [template, says] of Object.entries(t.faults)) {
    const found = patternOf(template).exec(words);
    if (found) return fill(says, found.groups ?? {});
  }
  return words;
}

export function wrongWords({ found, allowed }: { found: string; allowed: string }): string {
  return t.packs.wrong(sayFault(found), sayFault(allowed));
}

/** Between what was found and what is allowed, in what the service says of a field. */
const ALLOWED = "; allowed: ";

/** What the service says of a field of a refused request. */
export function sayWrong(message: string): string {
  const [found, allowed] = message.split(ALLOWED, 2);
  return allowed === undefined ? sayFault(message) : wrongWords({ found: found ?? "", allowed });
}
