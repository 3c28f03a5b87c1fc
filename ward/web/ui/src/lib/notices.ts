/** What this page may say that it shows. Pure. */

import type { Route } from "./route.svelte";
import type { View } from "./state";
import type { Delivery, Notice, Tellings } from "./types";
import { ms } from "./clock";
import { clock, fill } from "./format";
import { t } from "../text";

/** The one that is built in, in the reader's words; the others as the hospital called them. */
export const channelName = (channel: string): string => t.told.channels[channel] ?? channel;

/** A person as the hospital calls her; who is everybody, in the reader's words. */
const personName = ({ person, name }: Delivery): string => (person === "everybody" ? t.plan.all : name);

export interface Showing {
  route: Route;
  /** Null: all wards. */
  chosenWard: string | null;
  /** The page is on top, and what it shows is of now. */
  live: boolean;
}

/**
 * Whether somebody in front of the page sees what the notice is about: on the board of the ward, or on the page
 * of the very patient. What belongs to no ward (a fault of the service, its `ward` is empty) stands above every page.
 */
export function shows(notice: Notice, view: View, { route, chosenWard, live }: Showing): boolean {
  if (!live || !view.loaded) return false;
  if (!notice.ward) return true;
  if (route.page === "board") return chosenWard === null || chosenWard === notice.ward;
  if (route.page !== "stay" || notice.alert === null) return false;
  return view.stays.get(route.id)?.alerts.some(({ id }) => id === notice.alert) ?? false;
}

/** The latest telling of each person by each way, for a reminder says all that the first telling said; and beside it
 * the latest that failed, which is nothing to hide. */
export function latest(deliveries: Delivery[]): Delivery[] {
  const each = new Map<string, Delivery>();
  for (const delivery of [...deliveries].sort((a, b) => a.id - b.id)) {
    each.set(`${delivery.name}\n${delivery.channel}\n${delivery.state === "failed"}`, delivery);
  }
  return [...each.values()];
}

/** Who was told of an alert, a line for each. One that brings nothing new in an episode interrupts nobody: then it is
 * those who were told of its episode, and `rides` is true. */
export function tellings(found: Tellings): { rides: boolean; deliveries: Delivery[] } {
  const own = found.deliveries ?? [];
  const others = found.episode_deliveries ?? [];
  return own.length || !others.length ? { rides: false, deliveries: latest(own) } : { rides: true, deliveries: latest(others) };
}

/** Why somebody could not be told, by how the service words it. */
const WHYS: readonly (readonly [RegExp, string])[] = [
  [/^the person has no address/, "noAddress"],
  [/^the person's address/, "badAddress"],
  [/^no answer in time/, "noAnswer"],
  [/^no connection/, "noConnection"],
  [/^the (?:service|other side) answered (?<status>\d+)/, "answered"],
  [/^the (?:service|broker) did not take it/, "notTaken"],
  [/^no dashboard of the ward is open/, "noScreen"],
  [/^no dashboard has said that it shows it/, "notShown"],
  [/^no channel of this name is configured/, "noChannel"],
  [/^the channel does not work just now/, "channelDown"],
];

export function whyNotTold(error: string | null | undefined): string {
  for (const [about, says] of WHYS) {
    const found = error && about.exec(error);
    if (found) return fill(t.told.why[says] ?? error, found.groups ?? {});
  }
  return error || t.unknown;
}

/** What became of telling one person: 'Ada, pager: told at 03:04 (2 s)'. Where the ward's clock runs faster than life
 * the time of sending, which is the machine's, would only mislead: then there is no delay either. */
export function toldWords(delivery: Delivery, now: number, name = personName(delivery)): string {
  const { channel, state, error } = delivery;
  const sent = ms(delivery.sent_at);
  const who = t.told.who(name, channelName(channel));
  if (state === "sent" && sent !== null) {
    const delay = delivery.signal_delay_s;
    const words = delivery.reason === "resolved" ? t.told.resolved : t.told.sent;
    return words(who, delay === null ? null : clock(sent, now), delay === null || delivery.reason !== "first" ? "" : ` (${Math.round(delay)} s)`);
  }
  if (state === "failed") return t.told.failed(who, whyNotTold(error));
  return state === "waiting" ? t.told.waiting(who) : t.told.dropped(who);
}

/** The same, a line for all of whom the same can be said: three names in one line are read sooner than three lines. */
export function toldLines(deliveries: Delivery[], now: number): { state: Delivery["state"]; words: string }[] {
  const lines = new Map<string, { first: Delivery; names: string[] }>();
  for (const delivery of deliveries) {
    const key = toldWords(delivery, now, "");
    const line = lines.get(key) ?? { first: delivery, names: [] };
    line.names.push(personName(delivery));
    lines.set(key, line);
  }
  return [...lines.values()].map(({ first, names }) => ({ state: first.state, words: toldWords(first, now, names.join(", ")) }));
}
