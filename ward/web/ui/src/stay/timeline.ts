/** What happened to a stay's alerts, newest first, from the alerts' own times. Pure. */

import { ms } from "../lib/clock";
import { nameOf } from "../lib/words";
import type { Alert, Priority } from "../lib/types";

export interface Happening {
  key: string;
  at: number;
  kind: "raised" | "late" | "acknowledged" | "shelved" | "cleared" | "closed";
  title: string;
  priority: Priority;
  technical: boolean;
  by: string | null;
  detail: string | null;
}

export function timeline(alerts: Iterable<Alert>): Happening[] {
  const all: Happening[] = [];
  for (const alert of new Map([...alerts].map((one) => [one.id, one])).values()) {
    const add = (kind: Happening["kind"], time: string | null | undefined, by: string | null, detail: string | null): void => {
      const at = ms(time);
      if (at !== null) {
        const technical = alert.kind === "technical";
        all.push({ key: `${alert.id} ${kind}`, at, kind, title: nameOf(alert), priority: alert.priority, technical, by, detail });
      }
    };
    add(alert.late ? "late" : "raised", alert.raised_at, null, null);
    add("acknowledged", alert.acknowledged_at, alert.acknowledged_by, alert.note ?? alert.assessment ?? null);
    add("cleared", alert.cleared_at, null, null);
    // Closing just when it cleared says nothing new.
    if (alert.closed_at !== alert.cleared_at) add("closed", alert.closed_at, null, alert.close_reason ?? null);
  }
  return all.sort((a, b) => b.at - a.at);
}
