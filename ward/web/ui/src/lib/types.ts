/**
 * What the API sends, as its description says it (`api-types.ts`, `make client`). Times are RFC 3339 in UTC;
 * durations end in `_s`.
 *
 * A description calls optional whatever has a default. What the service always sends is named here, so that nobody
 * handles what cannot be.
 */

import type { Language } from "../text";
import type { components } from "./api-types";
import type { MinutesTold } from "./changes";

type Described = components["schemas"];

/** These of it are always there. */
type Sure<T, Key extends keyof T> = Omit<T, Key> & { [K in Key]-?: Exclude<T[K], undefined> };

/** Whatever has a title: `titles` has it in other languages. */
export interface Named {
  title: string;
  titles?: Partial<Record<Language, string>>;
}

export type Priority = Described["Alert"]["priority"];
export type Kind = Described["Alert"]["kind"];
export type AlertState = Described["Alert"]["state"];
export type Assessment = NonNullable<Described["Acknowledge"]["assessment"]>;
export type Risk = NonNullable<Described["News2"]["risk"]>;

/** Of a fault of the service, which concerns no patient, `stay`, `ward` and `bed` are null. */
export type Alert = Sure<
  Described["Alert"],
  "signal" | "value" | "breach_since" | "raised_at" | "acknowledged_at" | "acknowledged_by" | "cleared_at"
>;
export type Pending = Sure<Described["Pending"], "left_s" | "signal" | "value">;

/** One person and channel: whether she was told of an alert. */
export type Delivery = Sure<Omit<Described["Delivery"], "level" | "attempts">, "sent_at" | "signal_delay_s" | "error">;

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

/** The newest reading of a signal that devices measure: what people enter is in the parts of NEWS2. */
export type SignalView = Sure<Omit<Described["Latest"], "value">, "device" | "reason"> & { value: number | null };
export type NewsPart = Sure<Described["News2"]["parts"][string], "time">;
export type News2 = Sure<Omit<Described["News2"], "parts">, "risk"> & { parts: Record<string, NewsPart> };

/** The deterioration score with what it rests on; all but `state` may be missing. */
export type RiskScore = Described["Risk"];

export type StayDevice = Sure<Described["StayDevice"], "until" | "online" | "last_seen_at" | "offset_s">;

export type Stay = Sure<
  Omit<Described["Stay"], "alerts" | "pending" | "signals" | "news2" | "devices">,
  "discharged_at" | "paused_until" | "risk" | "priority"
> & {
  alerts: Alert[];
  pending: Pending[];
  signals: Record<string, SignalView>;
  news2: News2 | null;
  devices: StayDevice[];
};

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

/** A line of a stay's log. */
export interface StayEvent extends Partial<Named> {
  seq: number;
  at: string;
  kind: string;
  by: string | null;
  alert: string | null;
  before: unknown;
  after: unknown;
  detail: Record<string, unknown> | null;
  priority?: Priority | null;
  of?: Kind | null;
}

/** Somebody to whom an alert can be given. */
export type Colleague = Described["Assignments"]["people"][number];

export interface Heartbeat {
  time: string;
  speed?: number;
  last_message_age_s: number | null;
  ready: boolean;
  /** False: what the stream tells is not of now, the evaluation stands still or the service is starting. */
  live?: boolean;
  reasons: string[];
  /** The parts that fail, by names that stay. */
  failing?: string[];
}

export interface Snapshot {
  time: string;
  speed?: number;
  stays: Stay[];
  alerts?: Alert[];
  minutes?: Record<string, MinutesTold>;
}

export type RuleInForce = Described["Rule"];
/** As much of a rule as says what it looks at. */
export type Rule = Pick<RuleInForce, "id" | "title" | "titles" | "priority" | "kind" | "when"> & Partial<RuleInForce>;
export type Device = Sure<Described["Device"], "stay" | "online" | "last_seen_at" | "offset_s"> & { bed?: string | null };
export type DeadLetter = Described["DeadLetter"];

export interface Page<T> {
  items: T[];
  next?: string | null;
  count?: number;
}

/** Columns of equal length: readings, or bins of them. Times may have become ms. */
export type Series = {
  time: (number | string)[];
} & Partial<Record<"value" | "min" | "median" | "max", (number | null)[] | null>> & {
    quality?: string[] | null;
    reason?: (string | null)[] | null;
    /** Of bins: what did not count, apart from what did. */
    doubted?: { time: (number | string)[]; min: number[]; max: number[]; count: number[] } | null;
  };

export interface Vitals {
  signals: Record<string, Series>;
}

export type Session = Omit<Described["Who"], "may"> & { may?: string[] };

/** How one may log in. */
export type Ways = Sure<Described["Ways"], "oidc">;

/** By ward, whether a screen is to sound. */
export type SoundsOf = Described["SoundsOf"];
