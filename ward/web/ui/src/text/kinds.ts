/** Sentences that every language has one of for each kind that the API may name. */

import type { components } from "../lib/api-types";

/** Given: actionable, assessed, patients; the least and the most of the share. */
export type Verdicts = Record<
  components["schemas"]["Judgement"]["kind"],
  (of: string, all: string, patients: string, low: string, high: string) => string
>;
/** Given the day since which time was counted. */
export type Cautions = Record<components["schemas"]["Caution"]["kind"], (since: string) => string>;
