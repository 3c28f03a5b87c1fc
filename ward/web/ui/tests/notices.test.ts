import { chooseLanguage } from "../src/text/language.svelte";
import { expect, it } from "vitest";
import { channelName, latest, shows, tellings, toldLines, toldWords } from "../src/lib/notices";
import { EMPTY, type View } from "../src/lib/state";
import type { Delivery, Notice } from "../src/lib/types";
import { isUndelivered } from "../src/lib/words";
import { alert, at, NOW, stay } from "./make";

const view: View = { ...EMPTY, loaded: true, stays: new Map([["s1", stay({ alerts: [alert()] })], ["s2", stay({ id: "s2" })]]) };
const notice: Notice = { id: 1, ward: "4B", alert: "a1", reason: "first", text: "" };
const board = { route: { page: "board", id: "" }, chosenWard: null, live: true } as const;

it("says that it shows an alert on the board of the ward, and on the patient's own page", () => {
  expect(shows(notice, view, board)).toBe(true);
  expect(shows(notice, view, { ...board, chosenWard: "4B" })).toBe(true);
  expect(shows(notice, view, { ...board, route: { page: "stay", id: "s1" } })).toBe(true);
});

it("does not say so where nobody can see it", () => {
  expect(shows(notice, view, { ...board, chosenWard: "5C" })).toBe(false);
  expect(shows(notice, view, { ...board, route: { page: "stay", id: "s2" } })).toBe(false);
  expect(shows(notice, view, { ...board, route: { page: "devices", id: "" } })).toBe(false);
  expect(shows(notice, view, { ...board, live: false })).toBe(false);
  expect(shows(notice, { ...view, loaded: false }, board)).toBe(false);
});

it("shows a fault of the service on every page, and a test on the board only", () => {
  expect(shows({ ...notice, ward: "" }, view, { ...board, route: { page: "devices", id: "" } })).toBe(true);
  const test = { ...notice, alert: null, reason: "test" };
  expect(shows(test, view, board)).toBe(true);
  expect(shows(test, view, { ...board, route: { page: "stay", id: "s1" } })).toBe(false);
});

it("says what became of telling somebody", () => {
  const delivery: Delivery = {
    id: 1,
    reason: "first",
    person: "ada",
    name: "Ada",
    channel: "pager",
    state: "sent",
    created_at: at(5_000),
    sent_at: at(3_000),
    signal_delay_s: 2.4,
    error: null,
  };
  expect(toldWords(delivery, NOW)).toMatch(/^Ada, pager: told at \d\d:\d\d \(2 s\)$/);
  expect(toldWords({ ...delivery, signal_delay_s: null }, NOW)).toBe("Ada, pager: told");
  expect(toldWords({ ...delivery, reason: "reminder" }, NOW)).toMatch(/told at \d\d:\d\d$/);
  expect(toldWords({ ...delivery, reason: "resolved" }, NOW)).toMatch(/that it is over$/);
  expect(toldWords({ ...delivery, state: "failed", sent_at: null, error: "no answer in time" }, NOW)).toBe("Ada, pager: NOT DELIVERED, no answer in time");
  expect(toldWords({ ...delivery, state: "waiting", sent_at: null }, NOW)).toBe("Ada, pager: on its way…");
  expect(toldWords({ ...delivery, state: "dropped", sent_at: null }, NOW)).toBe("Ada, pager: not needed any more");
});

it("names everybody in the reader's language", async () => {
  const all = { id: 1, reason: "first", person: "everybody", name: "everybody on the ward", channel: "pager", state: "waiting" } as Delivery;
  expect(toldWords(all, NOW)).toBe("everybody, pager: on its way…");
  await chooseLanguage("da");
  expect(toldLines([all, { ...all, id: 2, person: "ada", name: "Ada" }], NOW)[0]?.words).toContain("alle, Ada, pager");
  await chooseLanguage("en");
});

it("names each person once for each way, with what became of it last", () => {
  const one = { id: 1, reason: "first", name: "Ada", channel: "pager", state: "failed" } as Delivery;
  const sent = { ...one, state: "sent" } as Delivery;
  const told = latest([{ ...sent, id: 4 }, { ...sent, id: 3 }, one, { ...sent, id: 2, channel: "dashboard" }]);
  expect(told.map(({ id }) => id)).toEqual([1, 2, 4]);
});

it("names who was told of the episode where the alert itself interrupted nobody", () => {
  const ada = { id: 1, reason: "first", name: "Ada", channel: "pager", state: "sent" } as Delivery;
  const ben = { ...ada, id: 2, name: "Ben" };
  expect(tellings({ deliveries: [], episode_deliveries: [ada, ben] })).toEqual({ rides: true, deliveries: [ada, ben] });
  expect(tellings({ deliveries: [ben], episode_deliveries: [ada] })).toEqual({ rides: false, deliveries: [ben] });
  expect(tellings({ deliveries: [], episode_deliveries: [] })).toEqual({ rides: false, deliveries: [] });
  expect(tellings({})).toEqual({ rides: false, deliveries: [] });
});

it("marks an alert that did not reach somebody until it is taken", () => {
  const lost = { undelivered: [{ person: "ada", channel: "pager" }] };
  expect(isUndelivered(alert(lost))).toBe(true);
  expect(isUndelivered(alert({ ...lost, state: "acknowledged" }))).toBe(false);
  expect(isUndelivered(alert())).toBe(false);
});

it("says in one line what is the same of several people", () => {
  const one = (id: number, name: string, state: Delivery["state"], error: string | null = null): Delivery =>
    ({ id, name, channel: "dashboard", state, error, reason: "first", sent_at: at(0), signal_delay_s: null }) as Delivery;
  const lines = toldLines([one(1, "Ada", "sent"), one(2, "Ben", "failed", "no answer in time"), one(3, "Cai", "sent")], NOW);
  expect(lines.map(({ state }) => state)).toEqual(["sent", "failed"]);
  expect(lines[0]?.words).toContain("Ada, Cai");
  expect(lines[1]?.words).toContain("Ben");
});

it("calls the built-in channel by the reader's word for it", async () => {
  await chooseLanguage("da");
  expect([channelName("dashboard"), channelName("pager")]).toEqual(["tavlen", "pager"]);
  await chooseLanguage("en");
});
