/** What one may do with an alert: each is sent once, said at once, and can be tried again with the same key. */

import { api } from "../lib/api";
import { nameOf } from "../lib/words";
import type { Alert, Assessment, Named } from "../lib/types";
import { ward } from "../lib/ward.svelte";
import { t } from "../text";
import { forgetDone, noteDone, send } from "./acting.svelte";

/** An alert, or what is still pending: that can only be shelved. */
export type Acted = Pick<Alert, "id" | "stay" | "state" | "kind" | "priority"> &
  Named &
  Partial<Pick<Alert, "bed" | "assessment" | "acknowledged_by" | "acknowledged_at" | "handed_over_by" | "note">>;

export function labelOf(alert: Acted): string {
  const bed = alert.bed ?? (alert.stay ? ward.view.stays.get(alert.stay)?.bed : null);
  return `${bed ? `${t.card.bed} ${bed}: ` : ""}${nameOf(alert)}`;
}

function act(alert: Acted, what: string | null, request: (key: string) => Promise<Alert>): Promise<boolean> {
  const label = labelOf(alert);
  // Whoever presses 'undo' before the answer came means this act, not the one before.
  if (what) forgetDone();
  return send(
    alert.id,
    request,
    (changed) => {
      ward.apply(changed);
      if (what) noteDone(changed.id, label, what);
    },
    label,
  );
}

export const take = (alert: Acted): Promise<boolean> => act(alert, t.act.done.acknowledge, (key) => api.acknowledge(alert.id, key));

export const assess = (alert: Acted, assessment: Assessment): Promise<boolean> =>
  act(alert, null, (key) => api.assess(alert.id, { assessment }, key));

export const note = (alert: Acted, text: string): Promise<boolean> => act(alert, null, (key) => api.assess(alert.id, { note: text }, key));

export const shelve = (alert: Acted, minutes: number, reason: string): Promise<boolean> =>
  act(alert, t.act.done.shelve, (key) => api.shelve(alert.id, minutes, reason, key));

export const unshelve = (alert: Acted): Promise<boolean> => act(alert, null, (key) => api.unshelve(alert.id, key));

export const handOver = (alert: Acted, to: string, text: string): Promise<boolean> =>
  act(alert, t.act.done.handOver, (key) => api.handOver(alert.id, to, text, key));

export async function undo(alert: string, label: string): Promise<boolean> {
  forgetDone();
  return send(alert, (key) => api.undo(alert, key), (changed) => ward.apply(changed, true), label);
}

/** Whether it is this person's by name. */
export function isMine(alert: Acted): boolean {
  return alert.state === "acknowledged" && alert.acknowledged_by === ward.session?.name;
}
