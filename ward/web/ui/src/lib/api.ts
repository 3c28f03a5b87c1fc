/** The calls of the dashboard to the API. */

import { every, request, send } from "./client";
import type { Alert, Assessment, Colleague, DeadLetter, Device, Page, RiskScore, Rule, Session, SoundsOf, StayEvent, Tellings, Vitals, Ways } from "./types";

export { apiUrl } from "./client";
export { Problem, wordsFor } from "./problem";
export type { Series, Vitals } from "./types";

/** A call whose answer the caller names. Prefer `request`, which knows it. */
export function call<T>(method: string, path: string, body?: unknown, key?: string, more: Record<string, string> = {}): Promise<T> {
  return send(method, path, body, key, more) as Promise<T>;
}

export const part = encodeURIComponent;

export function all<T>(path: string): Promise<T[]> {
  return every((cursor) => call<Page<T>>("GET", cursor === null ? path : `${path}?cursor=${part(cursor)}`));
}

export const api = {
  session: () => request("get", "session") as Promise<Session>,
  /** The same, saying that somebody is there: the session does not become idle. */
  touch: () => request("get", "session", { headers: { "X-Ward-Active": "1" } }) as Promise<Session>,
  ways: () => request("get", "session/ways") as Promise<Ways>,
  login: (login: string, password: string) => request("post", "session", { body: { login, password } }),
  loginWithToken: (token: string) => request("post", "session", { body: { token } }),
  logout: () => request("delete", "session"),
  logoutEverywhere: () => request("delete", "sessions"),
  setPassword: (code: string, password: string) => request("post", "session/password", { body: { code, password } }),
  changePassword: (current: string, password: string) => request("put", "session/password", { body: { current, password } }),

  acknowledge: (id: string, key: string) => request("post", "alerts/{alert}/acknowledge", { path: { alert: id }, body: {}, key }) as Promise<Alert>,
  assess: (id: string, said: { assessment?: Assessment; note?: string }, key: string) =>
    request("post", "alerts/{alert}/assess", { path: { alert: id }, body: said, key }) as Promise<Alert>,
  handOver: (id: string, to: string, note: string, key: string) =>
    request("post", "alerts/{alert}/hand-over", { path: { alert: id }, body: { to, ...(note ? { note } : {}) }, key }) as Promise<Alert>,
  undo: (id: string, key: string) => request("post", "alerts/{alert}/undo", { path: { alert: id }, key }) as Promise<Alert>,
  shelve: (id: string, minutes: number, reason: string, key: string) =>
    request("post", "alerts/{alert}/shelve", { path: { alert: id }, body: { minutes, ...(reason ? { reason } : {}) }, key }) as Promise<Alert>,
  unshelve: (id: string, key: string) => request("post", "alerts/{alert}/unshelve", { path: { alert: id }, key }) as Promise<Alert>,

  told: (id: string) => request("get", "alerts/{alert}", { path: { alert: id } }) as Promise<Tellings>,
  shown: (ids: number[]) => request("post", "notices/shown", { body: { ids }, headers: { "X-Ward-Active": "0" } }),
  sounds: async (screen: string, wards: string[], able: boolean, take: boolean) =>
    ((await request("post", "sounds", { body: { screen, wards, able, take }, headers: { "X-Ward-Active": "0" } })) as SoundsOf).wards,
  seen: (test: number) => request("post", "channels/tests/{id}/seen", { path: { id: test } }),

  observe: (stay: string, values: Record<string, unknown>, key: string) =>
    request("post", "stays/{stay}/observations", { path: { stay }, body: values, key }),

  setFlags: (stay: string, flags: string[], key: string) => request("patch", "stays/{stay}", { path: { stay }, body: { flags }, key }),
  colleagues: (ward: string): Promise<{ people: Colleague[] }> => request("get", "wards/{ward}/assignments", { path: { ward } }),
  stayEvents: (stay: string) => request("get", "stays/{stay}/events", { path: { stay }, query: { limit: 200 } }) as Promise<Page<StayEvent>>,

  vitals: (stay: string, start: number, end: number | null, resolution: number | null) =>
    request("get", "stays/{stay}/vitals", {
      path: { stay },
      query: {
        start: new Date(start).toISOString(),
        end: end === null ? null : new Date(end).toISOString(),
        resolution: resolution === null ? null : String(resolution),
      },
    }) as Promise<Vitals>,
  score: (stay: string): Promise<{ risk: RiskScore }> => request("get", "stays/{stay}/score", { path: { stay } }),
  alertsOf: (stay: string) => request("get", "alerts", { query: { stay, limit: 100 } }) as Promise<Page<Alert>>,
  rulesOf: (stay: string) => request("get", "rules", { query: { stay } }) as Promise<Page<Rule>>,
  devices: () => every((cursor) => request("get", "devices", { query: { cursor } }) as Promise<Page<Device>>),
  unassigned: () => every((cursor) => request("get", "devices/unassigned", { query: { cursor } }) as Promise<Page<Device>>),
  deadLetters: () => request("get", "dead-letters", { query: { limit: 100 } }) as Promise<Page<DeadLetter>>,
};
