/** What this person has sent and what became of it, by the alert or stay that it is about. */

import { Problem } from "../lib/api";
import { t } from "../text";

export interface Act {
  state: "sending" | "failed";
  message: string;
  retry: () => Promise<boolean>;
}

let acts = $state.raw<ReadonlyMap<string, Act>>(new Map());

export function actOn(id: string): Act | undefined {
  return acts.get(id);
}

export function forget(id: string): void {
  if (!acts.has(id)) return;
  const next = new Map(acts);
  next.delete(id);
  acts = next;
}

/** One key for one intention: trying again sends the same key, so that it cannot count twice. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sends, and keeps saying 'sending' or 'not sent' until the server has confirmed. True when it has. */
export async function send<T>(id: string, request: (key: string) => Promise<T>, done: (result: T) => void): Promise<boolean> {
  const key = newKey();
  const attempt = async (): Promise<boolean> => {
    acts = new Map(acts).set(id, { state: "sending", message: t.act.sending, retry: attempt });
    try {
      done(await request(key));
      forget(id);
      return true;
    } catch (error) {
      const message = error instanceof Problem ? error.message : t.errors.network;
      acts = new Map(acts).set(id, { state: "failed", message, retry: attempt });
      return false;
    }
  };
  return attempt();
}
