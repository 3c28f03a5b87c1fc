/** The calls about the shift: who has whom, limits, the alarm test, the handover. */

import { apiUrl, call, part } from "../lib/api";
import type { components } from "../lib/api-types";
import { language } from "../text";
import type { Page, RuleInForce, Stay } from "../lib/types";

type Described = components["schemas"];
export type Assignments = Described["Assignments"];
export type Colleague = Described["Colleague"];
export type Handover = Described["Handover"];
export type HandedPatient = Described["HandedPatient"];
export type HandedAlert = Described["HandedAlert"];
export type AlarmTest = Described["Test"];

const of = (ward: string): string => `wards/${part(ward)}`;

export const shift = {
  assignments: (ward: string) => call<Assignments>("GET", `${of(ward)}/assignments`),
  assign: (ward: string, stays: string[], person: string | null, key: string) =>
    call<Page<Stay>>("POST", `${of(ward)}/assignments`, { stays, ...(person === null ? {} : { person }) }, key),
  giveUp: (ward: string, stays: string[], key: string) => call<Page<Stay>>("POST", `${of(ward)}/assignments/end`, { stays }, key),
  away: (stay: string, minutes: number, reason: string | null, key: string) =>
    call<Stay>("POST", `stays/${part(stay)}/pause`, { minutes, ...(reason ? { reason } : {}) }, key),
  test: (ward: string) => call<Page<AlarmTest>>("POST", "channels/test", { ward }),
  tests: () => call<Page<AlarmTest>>("GET", "channels/tests?limit=200"),
  handover: (ward: string, which: string) => call<Handover>("GET", `${of(ward)}/handover?shift=${which}`),
  rules: (stay: string) => call<Page<RuleInForce>>("GET", `rules?stay=${part(stay)}`),
  endLimit: (stay: string, rule: string) => call<unknown>("DELETE", `rules/${part(rule)}?stay=${part(stay)}`),
};

/** Papers open in a page of their own, in the language of this one. */
export const paper = {
  handover: (ward: string, which: string): string => `${apiUrl(`${of(ward)}/handover`)}?shift=${which}&format=pdf&lang=${language()}`,
  downtime: (ward: string): string => `${apiUrl(`${of(ward)}/downtime`)}?lang=${language()}`,
};

/** Changes a rule for one patient. The version that is read is the one that is changed: nobody's change is lost. */
export async function setLimit(stay: string, rule: string, change: { when: string[]; until: string; why?: string }): Promise<void> {
  const url = apiUrl(`rules/${part(rule)}?stay=${part(stay)}`);
  const read = await fetch(url, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(10_000) });
  const etag = read.headers.get("ETag") ?? "";
  await call<unknown>("PUT", `rules/${part(rule)}?stay=${part(stay)}`, change, undefined, { "If-Match": etag });
}
