/** The calls of administrators. */

import { all, call, part } from "../lib/api";
import type { Page } from "../lib/types";

export interface User {
  id: string;
  login: string;
  name: string;
  role: string;
  wards: string[] | null;
  disabled_at: string | null;
  has_password: boolean;
  issuer: string | null;
  sessions: number;
  last_seen_at: string | null;
  locked_until: string | null;
}

export interface Invited extends User {
  code: string;
  code_expires_at: string;
}

export interface Token {
  id: string;
  name: string;
  role: string;
  wards: string[] | null;
  scopes: string[] | null;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface Credential {
  id: string;
  user: string;
  speaks_for: string[];
  hears: string[];
  signed: boolean;
  forged: number;
}

export interface MadeCredential extends Credential {
  password: string;
  key: string | null;
  example: string | null;
  unreloaded: string | null;
}

export interface Step {
  at: string;
  after_s: number;
  level: number | null;
  tell: { person: string; name: string; channel: string }[];
  nobody_on_duty: number[];
}

export interface Plan {
  ward: string;
  source: "ward" | "default";
  version: number;
  by: string | null;
  at: string | null;
  text: string | null;
  remarks?: string[];
}

export interface PlanRead {
  /** As the service gives it; `team`: of those named, what they are called. */
  definition: { team?: { id: string; name?: string }[] };
  steps: Step[];
  holes: { team: string; since: string; until: string }[];
  remarks: string[];
}

export interface Duty {
  shifts: { id: string; name: string; until: string }[];
  teams: { id: string; name: string; people: { id: string; name: string }[] }[];
}

export interface AuditLine {
  seq: number;
  at: string;
  actor: string;
  role: string | null;
  action: string;
  object: string | null;
  stay: string | null;
  ward: string | null;
  outcome: string;
}

export interface Verdict {
  holds: boolean;
  lines: number;
  seq: number;
  bad: number | null;
  wrong: string | null;
}

export interface Health {
  time: string;
  started_at: string;
  version: string;
  ready: boolean;
  live: boolean;
  reasons: string[];
  warnings: string[];
  parts: { part: string; age_s: number; late: boolean }[];
  broker: { url: string; connected: boolean; said: string | null; last_message_age_s: number | null; devices: string };
  channels_failing: string[];
  database: { kind: string; bytes: number };
  backup: { at: string; bytes: number } | null;
  administrator: boolean;
  simulator: { allowed: boolean; running: boolean; ward: string; patients: boolean };
  times: string[];
  series: { name: string; unit: string; values: (number | null)[] }[];
}

export interface Rehearsal {
  kind: string;
  priority: string;
  at: string;
}

const user = (id: string): string => `users/${part(id)}`;
const planOf = (ward: string): string => `wards/${part(ward)}/plan`;
const given = (query: Record<string, string>): string =>
  new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();

export const admin = {
  users: () => all<User>("users"),
  addUser: (made: { login: string; name: string; role: string; wards: string[] | null }) => call<Invited>("POST", "users", made),
  changeUser: (id: string, change: Record<string, unknown>) => call<User>("PATCH", user(id), change),
  resetUser: (id: string) => call<Invited>("POST", `${user(id)}/reset`),
  pardonUser: (id: string) => call<null>("POST", `${user(id)}/pardon`),
  endSessions: (id: string) => call<null>("DELETE", `${user(id)}/sessions`),

  tokens: () => call<Page<Token>>("GET", "tokens"),
  addToken: (made: Record<string, unknown>) => call<Token & { token: string }>("POST", "tokens", made),
  revoke: (id: string) => call<null>("DELETE", `tokens/${part(id)}`),
  link: (id: string) => call<{ path: string; expires_at: string }>("POST", `tokens/${part(id)}/link`),

  credentials: () => call<Page<Credential>>("GET", "devices/credentials"),
  addCredential: (made: Record<string, unknown>) => call<MadeCredential>("POST", "devices/credentials", made),
  rotate: (id: string) => call<MadeCredential>("POST", `devices/credentials/${part(id)}/rotate`),
  removeCredential: (id: string) => call<null>("DELETE", `devices/credentials/${part(id)}`),

  plan: (ward: string) => call<Plan>("GET", planOf(ward)),
  duty: (ward: string) => call<Duty>("GET", `wards/${part(ward)}/duty`),
  preview: (ward: string, about: Rehearsal) => call<{ steps: Step[] }>("GET", `${planOf(ward)}/preview?${given({ ...about })}`),
  readPlan: (ward: string, text: string, about: Rehearsal) =>
    call<PlanRead>("POST", `${planOf(ward)}/read`, { text, kind: about.kind, priority: about.priority, ...(about.at ? { at: about.at } : {}) }),
  putPlan: (ward: string, version: number, definition: unknown) =>
    call<Plan>("PUT", planOf(ward), definition, undefined, { "If-Match": `"${version}"` }),
  dropPlan: (ward: string, version: number) => call<Plan>("DELETE", planOf(ward), undefined, undefined, { "If-Match": `"${version}"` }),
  plans: (ward: string) => call<Page<{ version: number; by: string; at: string; definition: unknown }>>("GET", `${planOf(ward)}/history`),

  audit: (query: Record<string, string>) => call<Page<AuditLine>>("GET", `audit?${given(query)}`),
  verify: () => call<Verdict>("GET", "audit/verify"),

  health: (minutes: number) => call<Health>("GET", `health?minutes=${minutes}`),
  startSimulator: (beds: number) => call<Health["simulator"]>("POST", "simulator", { beds }),
  endSimulator: () => call<Health["simulator"]>("DELETE", "simulator"),
};
