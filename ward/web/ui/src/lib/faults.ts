/**
 * What is wrong with a pack, a care plan or a form, in the reader's language: the service says what it found and what is
 * allowed in English, for files and the command line; here by how it words it. Pure but for the language.
 */

import { t } from "../text";
import { fill } from "./format";

/** How the service words it of packs, and which of `t.packs.says` says the same of the groups. */
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

/** Of care plans, beside what it says of packs, and what may be meant otherwise there: `t.faults`. */
export const PLAN_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/^a person's too$/, "personToo"],
  [/^an id that no person has$/, "noPersons"],
  [/^beside a date$/, "besideDate"],
  [/^date or days, not both$/, "dateOrDays"],
  [/^a day on which the shift (?<shift>.+) does not begin$/, "notBegin"],
  [/^no levels$/, "noLevels"],
  [/^one or more \[\[route\.level\]\] tables$/, "someLevels"],
  [/^(?<count>\d+) levels$/, "levels"],
  [/^at most (?<most>\d+)$/, "atMost"],
  [/^at most (?<most>\d+) \[\[(?<name>.+)\]\] tables$/, "atMostTables"],
  [/^it waits$/, "waits"],
  [/^nothing or 0s: the first level is told at once$/, "firstAtOnce"],
  [/^not later than the level before$/, "notLater"],
  [/^a longer wait, such as 5m$/, "longer"],
  [/^a table with from, to and priority$/, "quietTable"],
  [/^low, medium: a high alert is never kept quiet$/, "neverQuiet"],
  [/^the same time as from$/, "sameTime"],
  [/^another time$/, "otherTime"],
  [/^each id once$/, "idOnce"],
  [/^unknown (?<what>'.+')$/, "unknown"],
  [/^none is defined$/, "noneDefined"],
  [/^a time of day from "00:00" to "23:59"$/, "clock"],
  [/^a day such as (?<day>.+)$/, "day"],
  [/^a time zone such as (?<zone>.+)$/, "zone"],
  [/^a table of addresses by channel, such as (?<what>.+)$/, "addresses"],
  [/^a text in one line, of up to (?<most>\d+) characters$/, "line"],
  [/^a list of one or more ids$/, "someIds"],
  [/^one or more of (?<what>.+)$/, "someOf"],
  [/^at least (?<least>\d+)m$/, "atLeast"],
  [/^true or false$/, "yesOrNo"],
  [/^a whole number from 0 to (?<most>\d+)$/, "countTo"],
  [/^channel (?<channel>.+): not configured; there are: (?<what>.+)$/, "noChannel"],
  [/^person (?<person>.+): no address for (?<channel>.+); right only if that channel has one of its own$/, "noAddress"],
  [/^route (?<route>\d+): tells nobody but whoever has the patient; else the dashboards$/, "onlyCarer"],
  [/^route (?<route>\d+): never taken, a route before it fits all of its alerts$/, "neverTaken"],
];

/** Of the fields of a request: `t.faults`. */
export const FIELD_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/^Field required$/, "required"],
  [/^Extra inputs are not permitted$/, "extra"],
  [/^String should have at least (?<least>\d+) characters?$/, "short"],
  [/^String should have at most (?<most>\d+) characters?$/, "long"],
  [/^List should have at least (?<least>\d+) items? after validation/, "few"],
  [/^List should have at most (?<most>\d+) items? after validation/, "many"],
  [/^String should match pattern/, "form"],
  [/^Input should be greater than or equal to (?<least>.+)$/, "notBelow"],
  [/^Input should be greater than (?<least>.+)$/, "above"],
  [/^Input should be less than or equal to (?<most>.+)$/, "notAbove"],
  [/^Input should be less than (?<most>.+)$/, "below"],
  [/^Input should be a valid (?:integer|number)/, "aNumber"],
  [/^Input should be a finite number$/, "aNumber"],
  [/^Input should be a valid string$/, "aText"],
  [/^Input should be (?<what>'.+')$/, "oneOf"],
];

const TABLES = [...FAULTS, ...PLAN_FAULTS, ...FIELD_FAULTS];

/** As the service says it where nobody has words for it: values, and lists of what there is. */
export function sayFault(words: string): string {
  for (const [about, says] of TABLES) {
    const found = about.exec(words);
    if (found) return fill(t.packs.says[says] ?? t.faults[says] ?? words, found.groups ?? {});
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

/** Where: `level 2 of route 1.after`; the names of tables and fields are those of the file. */
export function sayPlace(field: string): string {
  const level = /^level (?<level>\d+) of (?<of>.+)$/.exec(field);
  return level ? fill(t.faults["level"] ?? field, level.groups ?? {}) : field;
}
