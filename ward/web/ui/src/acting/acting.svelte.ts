/** What this person has sent and what became of it, by the alert or stay that it is about. */

import { SvelteMap } from "svelte/reactivity";
import { Problem } from "../lib/api";
import { ward } from "../lib/ward.svelte";
import { t } from "../text";

export interface Act {
  state: "sending" | "failed";
  message: string;
  /** What it is about, in words: for whoever has gone to another page meanwhile. */
  label: string;
  retry: () => Promise<boolean>;
}

/** An act of hers that went through and can still be taken back. */
export interface Done {
  alert: string;
  label: string;
  what: string;
  /** Server time (ms) until which it may be taken back. */
  until: number;
}

/** The service takes an act back for so long (real time). */
export const UNDO_MS = 120_000;

const acts = new SvelteMap<string, Act>();
const shown = new SvelteMap<string, number>();
let last = $state.raw<Done | null>(null);

export function actOn(id: string): Act | undefined {
  return acts.get(id);
}

export function forget(id: string): void {
  acts.delete(id);
}

/** What did not go through and is on the screen nowhere else. */
export function unsent(): [string, Act][] {
  return [...acts].filter(([id, { state }]) => state === "failed" && !shown.get(id));
}

/** Something on this page says what became of acts on this; call what it gives when it is gone. */
export function shows(id: string): () => void {
  shown.set(id, (shown.get(id) ?? 0) + 1);
  return () => shown.set(id, (shown.get(id) ?? 1) - 1);
}

export function lastDone(): Done | null {
  return last && ward.now < last.until ? last : null;
}

export function isUndoable(alert: string): boolean {
  return lastDone()?.alert === alert;
}

export function noteDone(alert: string, label: string, what: string): void {
  last = { alert, label, what, until: ward.now + UNDO_MS * ward.view.speed };
}

export function forgetDone(): void {
  last = null;
}

/** One key for one intention: trying again sends the same key, so that it cannot count twice. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sends, and keeps saying 'sending' or 'not sent' until the server has confirmed. True when it has. */
export async function send<T>(id: string, request: (key: string) => Promise<T>, done: (result: T) => void, label = ""): Promise<boolean> {
  const key = newKey();
  const attempt = async (): Promise<boolean> => {
    acts.set(id, { state: "sending", message: t.act.sending, label, retry: attempt });
    try {
      done(await request(key));
      forget(id);
      return true;
    } catch (error) {
      const message = error instanceof Problem ? error.message : t.errors.network;
      acts.set(id, { state: "failed", message, label, retry: attempt });
      return false;
    }
  };
  return attempt();
}
