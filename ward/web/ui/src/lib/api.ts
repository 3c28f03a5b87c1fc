/** Calls to the API. Every failure becomes a `Problem` whose message can be read by a nurse. */

import { t } from "../text";
import type { Alert, Assessment, DeadLetter, Device, Page, RiskScore, Rule, Session, Tellings, Ways } from "./types";

/** Relative to the page, so that it also works below a sub-path. */
export function apiUrl(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

export class Problem extends Error {
  constructor(
    message: string,
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** Seconds to wait before trying again, where the server said so. */
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

interface ProblemBody {
  title?: unknown;
  detail?: unknown;
}

/** Words for an answer that is not a success. */
export function wordsFor(status: number, body: ProblemBody | null): string {
  const detail = typeof body?.detail === "string" ? body.detail : typeof body?.title === "string" ? body.title : "";
  if (status === 401) return t.errors.unauthorised;
  if (status === 403) return t.errors.forbidden(detail).trim();
  if (status === 404) return t.errors.notFound;
  if (status === 409 || status === 412) return t.errors.conflict(detail).trim();
  if (status >= 500 || !detail) return t.errors.server(status);
  return detail;
}

export async function call<T>(method: string, path: string, body?: unknown, key?: string, more: Record<string, string> = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", ...more };
  if (method !== "GET") headers["X-Ward-Request"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let response: Response;
  try {
    response = await fetch(apiUrl(path), {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new Problem(late ? t.errors.timeout : t.errors.network, 0);
  }
  const text = await response.text().catch(() => "");
  let data: unknown = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new Problem(t.errors.server(response.status), response.status);
  }
  if (!response.ok) {
    const wait = Number(response.headers.get("Retry-After")) || 0;
    throw new Problem(wordsFor(response.status, data as ProblemBody | null), response.status, wait);
  }
  return data as T;
}

export const part = encodeURIComponent;
const MOST_PAGES = 20;

/** Every page of a list. */
export async function all<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let i = 0; i < MOST_PAGES; i++) {
    const page: Page<T> = await call<Page<T>>("GET", cursor === null ? path : `${path}?cursor=${part(cursor)}`);
    items.push(...page.items);
    cursor = page.next;
    if (cursor === null) break;
  }
  return items;
}

export interface Series {
  time: (number | string)[];
  value?: (number | null)[];
  quality?: string[];
  reason?: (string | null)[];
  min?: (number | null)[];
  median?: (number | null)[];
  max?: (number | null)[];
}

export interface Vitals {
  signals: Record<string, Series>;
}

export const api = {
  session: () => call<Session>("GET", "session"),
  /** The same, saying that somebody is there: the session does not become idle. */
  touch: () => call<Session>("GET", "session", undefined, undefined, { "X-Ward-Active": "1" }),
  ways: () => call<Ways>("GET", "session/ways"),
  login: (login: string, password: string) => call<Session | null>("POST", "session", { login, password }),
  loginWithToken: (token: string) => call<Session | null>("POST", "session", { token }),
  logout: () => call<null>("DELETE", "session"),
  logoutEverywhere: () => call<null>("DELETE", "sessions"),
  setPassword: (code: string, password: string) => call<Session | null>("POST", "session/password", { code, password }),
  changePassword: (current: string, password: string) => call<null>("PUT", "session/password", { current, password }),

  acknowledge: (id: string, assessment: Assessment, note: string, key: string) =>
    call<Alert>("POST", `alerts/${part(id)}/acknowledge`, { assessment, ...(note ? { note } : {}) }, key),
  shelve: (id: string, minutes: number, reason: string, key: string) =>
    call<Alert>("POST", `alerts/${part(id)}/shelve`, { minutes, ...(reason ? { reason } : {}) }, key),
  unshelve: (id: string, key: string) => call<Alert>("POST", `alerts/${part(id)}/unshelve`, {}, key),

  told: (id: string) => call<Tellings>("GET", `alerts/${part(id)}`),
  shown: (ids: number[]) => call<null>("POST", "notices/shown", { ids }, undefined, { "X-Ward-Active": "0" }),
  seen: (test: number) => call<unknown>("POST", `channels/tests/${test}/seen`),

  observe: (stay: string, values: Record<string, unknown>, key: string) =>
    call<unknown>("POST", `stays/${part(stay)}/observations`, values, key),
  pause: (stay: string, minutes: number, key: string) =>
    call<unknown>("POST", `stays/${part(stay)}/pause`, { minutes }, key),

  vitals: (stay: string, start: number, end: number | null, resolution: number | null) => {
    const query = new URLSearchParams({ start: new Date(start).toISOString() });
    if (end !== null) query.set("end", new Date(end).toISOString());
    if (resolution !== null) query.set("resolution", String(resolution));
    return call<Vitals>("GET", `stays/${part(stay)}/vitals?${query}`);
  },
  score: (stay: string) => call<{ risk: RiskScore }>("GET", `stays/${part(stay)}/score`),
  alertsOf: (stay: string) => call<Page<Alert>>("GET", `alerts?stay=${part(stay)}&limit=100`),
  rulesOf: (stay: string) => call<Page<Rule>>("GET", `rules?stay=${part(stay)}`),
  devices: () => all<Device>("devices"),
  unassigned: () => all<Device>("devices/unassigned"),
  deadLetters: () => call<Page<DeadLetter>>("GET", "dead-letters?limit=100"),
};
