/** What the API sends. Times are RFC 3339 in UTC; durations end in `_s`. */

import type { Language } from "../text";

export type Priority = "high" | "medium" | "low";
export type Kind = "physiological" | "technical";
export type AlertState = "pending" | "active" | "acknowledged" | "returned" | "shelved" | "suppressed" | "closed";
export type Assessment = "actionable" | "not-actionable" | "artefact";
export type Risk = "low" | "low-medium" | "medium" | "high";

/** Whatever has a title: `titles` has it in other languages. */
export interface Named {
  title: string;
  titles?: Partial<Record<Language, string>>;
}

export interface Alert extends Named {
  id: string;
  /** Null for what concerns no patient: the service's own faults. */
  stay: string | null;
  ward: string | null;
  bed: string | null;
  rule: string;
  priority: Priority;
  kind: Kind;
  state: AlertState;
  signal: string | null;
  value: number | null;
  breach_since: string | null;
  raised_at: string | null;
  announced_at?: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  assessment?: Assessment | null;
  note?: string | null;
  cleared_at: string | null;
  closed_at?: string | null;
  close_reason?: string | null;
  shelved_until?: string | null;
  shelved_by?: string | null;
  shelve_reason?: string | null;
  suppressed_by?: string | null;
  late?: boolean;
  /** Who could not be told of it. */
  undelivered?: { person: string; channel: string }[];
}

/** One person and channel: whether she was told of an alert. */
export interface Delivery {
  id: number;
  reason: string;
  name: string;
  channel: string;
  state: "waiting" | "sent" | "failed" | "dropped";
  created_at: string;
  sent_at: string | null;
  signal_delay_s: number | null;
  error: string | null;
}

/** Who was told of an alert, and of the others of its episode. */
export interface Tellings {
  deliveries?: Delivery[];
  episode_deliveries?: Delivery[];
}

/** Somebody is to be told on a page that shows the ward; `alert` is null for a test. */
export interface Notice {
  id: number;
  ward: string;
  alert: string | null;
  reason: string;
  text: string;
}

export interface Pending extends Named {
  id: string;
  rule: string;
  priority: Priority;
  kind: Kind;
  state: "pending" | "suppressed";
  since: string;
  left_s: number | null;
  signal: string | null;
  value: number | null;
}

export interface SignalView {
  value: number | null;
  unit: string;
  time: string;
  state: "fresh" | "stale" | "questionable";
  device: string | null;
  reason: string | null;
  hold_s: number;
}

export interface NewsPart {
  points: number;
  value: number | string | boolean | null;
  time: string | null;
  stale: boolean;
}

export interface News2 {
  score: number | null;
  risk: Risk | null;
  partial: boolean;
  missing: string[];
  stale: string[];
  scale: 1 | 2;
  parts: Record<string, NewsPart>;
  /** The flag of a patient whom the score is not for: then there is none. */
  not_applicable?: string | null;
}

/** The deterioration score with what it rests on; all but `state` may be missing. */
export interface RiskScore {
  state: "known" | "not-enough-data" | "no-model" | "not-applicable";
  value?: number | null;
  low?: number | null;
  high?: number | null;
  above?: number | null;
  computed_at?: string | null;
  missing?: string[];
  contributions?: { group: string; log_odds: number; words: string }[];
}

export interface StayDevice {
  device: string;
  since: string;
  until: string | null;
  online: boolean | null;
  last_seen_at: string | null;
  offset_s: number | null;
}

export interface Stay {
  id: string;
  ward: string;
  bed: string;
  patient_ref: string | null;
  admitted_at: string;
  discharged_at: string | null;
  flags: string[];
  paused_until: string | null;
  devices: StayDevice[];
  signals: Record<string, SignalView>;
  news2: News2 | null;
  risk: number | null;
  alerts: Alert[];
  pending: Pending[];
  priority: Priority | null;
  time: string;
}

export interface AlertEvent {
  seq?: number;
  at: string;
  kind: string;
  by: string | null;
  before: string | null;
  after: string | null;
  stay?: string;
  alert?: string | null;
}

export interface Heartbeat {
  time: string;
  speed?: number;
  last_message_age_s: number | null;
  ready: boolean;
  /** False: what the stream tells is not of now, the evaluation stands still or the service is starting. */
  live?: boolean;
  reasons: string[];
}

export interface Snapshot {
  time: string;
  speed?: number;
  stays: Stay[];
  alerts?: Alert[];
}

export interface Rule extends Named {
  id: string;
  priority: Priority;
  kind: Kind;
  when: string[];
}

export interface Device {
  device: string;
  ward: string;
  stay: string | null;
  bed?: string | null;
  online: boolean | null;
  last_seen_at: string | null;
  offset_s: number | null;
}

export interface DeadLetter {
  received_at: string;
  topic: string;
  reason: string;
  detail: string;
}

export interface Page<T> {
  items: T[];
  next: string | null;
  count?: number;
}

export interface Session {
  name: string;
  role: string;
  wards: string[] | null;
  may?: string[];
  /** Nobody touched it for too long: the board is all that it shows. */
  limited?: boolean;
  /** Came in as a user, and has a password or sessions to end. */
  account?: boolean;
  log_out_url?: string | null;
}

/** How one may log in. */
export interface Ways {
  password: boolean;
  oidc: string | null;
}
