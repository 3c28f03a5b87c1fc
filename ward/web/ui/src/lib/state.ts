/** The page's whole knowledge of the ward, folded from the event stream. Pure: (view, message) gives a view. */

import { changed, goOn, type Lines, type MinutesTold, type StayChange } from "./changes";
import { ms } from "./clock";
import type { Message } from "./sse";
import type { Alert, AlertEvent, Heartbeat, Snapshot, Stay } from "./types";

export interface Told {
  alert: Alert;
  event: AlertEvent;
}

export interface View {
  stays: ReadonlyMap<string, Stay>;
  /** Of each stay the last two hours of its signals, by the minute. */
  minutes: ReadonlyMap<string, Lines>;
  /** Up to when the ward is evaluated (server ms). */
  evaluated: number | null;
  /** Open alerts of no stay: the service's own faults. */
  faults: ReadonlyMap<string, Alert>;
  /** Newest last; what was told since the page was opened, at most `MOST_TOLD`. */
  told: readonly Told[];
  /** Server time last heard (ms), or null before the first message. */
  time: number | null;
  speed: number;
  ready: boolean;
  live: boolean;
  reasons: readonly string[];
  /** The parts of the service that fail. */
  failing: readonly string[];
  lastMessageAge: number | null;
  loaded: boolean;
  /** Ids of alerts that are over: an older view of a stay must not bring them back. */
  closed: ReadonlySet<string>;
}

export const EMPTY: View = {
  stays: new Map(),
  minutes: new Map(),
  evaluated: null,
  faults: new Map(),
  told: [],
  time: null,
  speed: 1,
  ready: true,
  live: true,
  reasons: [],
  failing: [],
  lastMessageAge: null,
  loaded: false,
  closed: new Set(),
};

/** How far the evaluation has come (ms). Null without stays: then there is nothing that could stand still. */
export function evaluatedUntil(view: View): number | null {
  return view.stays.size ? view.evaluated : null;
}

const MOST_TOLD = 300;
const MOST_CLOSED = 2_000;

function withoutClosed(stay: Stay, closed: ReadonlySet<string>): Stay {
  return stay.alerts.some((alert) => closed.has(alert.id))
    ? { ...stay, alerts: stay.alerts.filter((alert) => !closed.has(alert.id)) }
    : stay;
}

function snapshot(view: View, data: Snapshot): View {
  return {
    ...view,
    stays: new Map(data.stays.map((stay) => [stay.id, stay])),
    minutes: new Map(Object.entries(data.minutes ?? {}).map(([id, told]) => [id, goOn(undefined, told)])),
    evaluated: ms(data.time) ?? view.evaluated,
    faults: new Map((data.alerts ?? []).filter(({ stay }) => stay === null).map((alert) => [alert.id, alert])),
    time: ms(data.time) ?? view.time,
    speed: data.speed ?? view.speed,
    loaded: true,
    closed: new Set(),
  };
}

function heartbeat(view: View, data: Heartbeat): View {
  return {
    ...view,
    time: ms(data.time) ?? view.time,
    speed: data.speed ?? view.speed,
    ready: data.ready,
    live: data.live ?? true,
    reasons: data.reasons ?? [],
    failing: data.failing ?? [],
    lastMessageAge: data.last_message_age_s,
  };
}

function stayChanged(view: View, stay: Stay): View {
  const stays = new Map(view.stays);
  if (stay.discharged_at) stays.delete(stay.id);
  else stays.set(stay.id, withoutClosed(stay, view.closed));
  return { ...view, stays, evaluated: Math.max(view.evaluated ?? 0, ms(stay.time) ?? 0) };
}

function staysChanged(view: View, data: { time: string; stays: StayChange[] }): View {
  const stays = new Map(view.stays);
  for (const told of data.stays) {
    const stay = changed(stays.get(told.id), told, data.time);
    if (stay) stays.set(stay.id, withoutClosed(stay, view.closed));
  }
  return { ...view, stays, evaluated: Math.max(view.evaluated ?? 0, ms(data.time) ?? 0) };
}

function minutesToldOf(view: View, data: { stays: Record<string, MinutesTold> }): View {
  const minutes = new Map(view.minutes);
  for (const [id, told] of Object.entries(data.stays)) minutes.set(id, goOn(minutes.get(id), told));
  return { ...view, minutes };
}

function stayRemoved(view: View, id: string): View {
  const stays = new Map(view.stays);
  const minutes = new Map(view.minutes);
  stays.delete(id);
  minutes.delete(id);
  return { ...view, stays, minutes };
}

/** Puts the new state of one alert into its stay. Also used for what the server answers to a person's act.
 * `reopened`: somebody took back what had closed it. */
export function alertChanged(view: View, alert: Alert, reopened = false): View {
  let closed = view.closed;
  if (reopened && closed.has(alert.id)) closed = new Set([...closed].filter((id) => id !== alert.id));
  if (alert.state === "closed") {
    const ids = [...view.closed, alert.id];
    closed = new Set(ids.slice(-MOST_CLOSED));
  } else if (closed.has(alert.id)) return view;
  if (alert.stay === null) {
    const faults = new Map(view.faults);
    if (alert.state === "closed") faults.delete(alert.id);
    else faults.set(alert.id, alert);
    return { ...view, faults, closed };
  }
  const stay = view.stays.get(alert.stay);
  if (!stay) return { ...view, closed };
  const alerts = stay.alerts.filter((other) => other.id !== alert.id);
  if (alert.state !== "closed" && alert.state !== "pending" && alert.state !== "suppressed") alerts.push(alert);
  const pending = stay.pending.filter((other) => other.id !== alert.id && other.rule !== alert.rule);
  const stays = new Map(view.stays).set(stay.id, {
    ...stay,
    alerts,
    pending: alert.state === "active" || alert.state === "shelved" ? pending : stay.pending,
  });
  return { ...view, stays, closed };
}

function told(view: View, data: Told): View {
  const next = alertChanged(view, data.alert, data.event.kind === "undone");
  return { ...next, told: [...view.told, data].slice(-MOST_TOLD) };
}

/** Unknown kinds of message are ignored, so that a newer server can talk to an older page. */
export function fold(view: View, message: Message): View {
  const data: unknown = JSON.parse(message.data);
  switch (message.event) {
    case "snapshot":
      return snapshot(view, data as Snapshot);
    case "heartbeat":
      return heartbeat(view, data as Heartbeat);
    case "stay":
      return stayChanged(view, data as Stay);
    case "stays":
      return staysChanged(view, data as { time: string; stays: StayChange[] });
    case "minutes":
      return minutesToldOf(view, data as { stays: Record<string, MinutesTold> });
    case "stay-removed":
      return stayRemoved(view, (data as { id: string }).id);
    case "alert":
      return told(view, data as Told);
    default:
      return view;
  }
}
