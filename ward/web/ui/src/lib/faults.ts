/**
 * What is wrong with a pack, in the reader's language: the service says what it found and what is allowed in English, for
 * files and the command line; here by how it words it. Pure but for the language.
 */

import { fill } from "../lib/format";
import { t } from "../text";

/** How the service words it, and which of `t.packs.says` says the same of the groups. */
export const FAULTS: readonly (readonly [RegExp, string])[] = [
  [/^missing$/, "missing"],
  [/^unknown field$/, "field"],
  [/^used more than once$/, "twice"],
  [/^each id once in a pack$/, "once"],
  [/^the rule itself$/, "itself"],
  [/^other rules of the pack$/, "others"],
  [/^unknown rule (?<what>.+)$/, "rule"],
  [/^a circle: (?<what>.+)$/, "circle"],
  [/^no circles$/, "noCircle"],
  [/^reserved$/, "reserved"],
  [/^any id but (?<what>.+)$/, "anyBut"],
  [/^an empty clause$/, "empty"],
  [/^unknown signal (?<what>.+?) in (?<text>.+)$/, "signal"],
  [/^'absent' of the derived signal (?<what>.+)$/, "derived"],
  [/^unknown comparison (?<what>.+?) in (?<text>.+)$/, "comparison"],
  [/^(?<what>.+), shorter than 'for'$/, "shorter"],
  [/^at least 'for'$/, "atLeastFor"],
  [/^no rules$/, "noRules"],
  [/^one or more \[\[rule\]\] tables$/, "rules"],
  [/^not TOML: (?<why>.+)$/s, "toml"],
  [/^a table of fields$/, "table"],
  [/^a table of texts by language: (?<what>.+)$/, "titles"],
  [/^a text$/, "text"],
  [/^a whole number from 1 on$/, "count"],
  [/^a whole number of milliseconds$/, "wholeMs"],
  [/^a finite decimal number$/, "number"],
  [/^more than zero$/, "aboveZero"],
  [/^a list of ids$/, "ids"],
  [/^1 to 80 of (?<what>.+), the first a letter or a digit$/, "id"],
  [/^a list of one or more clauses, each /, "clauses"],
  [/^"signal op number" with one of (?<what>.+), or "signal absent"$/, "clause"],
  [/^a number and s, m or h, such as (?<what>.+); at most a year$/, "duration"],
];

/** As the service says it where nobody has words for it: values, and lists of what there is. */
export function sayFault(words: string): string {
  for (const [about, says] of FAULTS) {
    const found = about.exec(words);
    if (found) return fill(t.packs.says[says] ?? words, found.groups ?? {});
  }
  return words;
}

export function wrongWords({ found, allowed }: { found: string; allowed: string }): string {
  return t.packs.wrong(sayFault(found), sayFault(allowed));
}
