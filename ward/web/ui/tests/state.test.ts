import { describe, expect, it } from "vitest";
import { alertChanged, EMPTY, evaluatedUntil, fold, type View } from "../src/lib/state";
import { alert, at, NOW, pending, stay } from "./make";

const hear = (view: View, event: string, data: unknown): View => fold(view, { event, data: JSON.stringify(data) });
const event = { at: at(0), kind: "raised", by: null, before: null, after: "active" };
const open = hear(EMPTY, "snapshot", { time: at(0), speed: 60, stays: [stay({ pending: [pending({ rule: "spo2-below-88" })] })], alerts: [] });

describe("the view of the ward", () => {
  it("starts with the snapshot and replaces everything with the next one", () => {
    expect(open).toMatchObject({ loaded: true, time: NOW, speed: 60 });
    expect([...hear(open, "snapshot", { time: at(0), stays: [stay({ id: "s2" })] }).stays.keys()]).toEqual(["s2"]);
  });

  it("takes health and the age of the last message from the heartbeat", () => {
    const view = hear(open, "heartbeat", { time: at(-3_000), last_message_age_s: 2, ready: false, reasons: ["broker lost"] });
    expect(view).toMatchObject({ time: NOW + 3_000, ready: false, reasons: ["broker lost"], lastMessageAge: 2, speed: 60 });
  });

  it("raises an alert and ends its pending one", () => {
    const own = hear(open, "alert", { alert: alert(), event }).stays.get("s1");
    expect(own?.alerts).toHaveLength(1);
    expect(own?.pending).toEqual([]);
  });

  it("replaces an alert by its newer state, never doubles it", () => {
    const once = hear(open, "alert", { alert: alert(), event });
    const twice = hear(once, "alert", { alert: alert({ state: "acknowledged" }), event });
    expect(twice.stays.get("s1")?.alerts.map(({ state }) => state)).toEqual(["acknowledged"]);
    expect(twice.told).toHaveLength(2);
  });

  it("does not let an older view of a stay bring a closed alert back", () => {
    const closed = hear(hear(open, "alert", { alert: alert(), event }), "alert", { alert: alert({ state: "closed" }), event });
    expect(closed.stays.get("s1")?.alerts).toEqual([]);
    const late = hear(closed, "stay", stay({ alerts: [alert()] }));
    expect(late.stays.get("s1")?.alerts).toEqual([]);
    expect(alertChanged(late, alert()).stays.get("s1")?.alerts).toEqual([]);
  });

  it("drops a stay that was discharged or moved away", () => {
    expect(hear(open, "stay-removed", { id: "s1" }).stays.size).toBe(0);
    expect(hear(open, "stay", stay({ discharged_at: at(0) })).stays.size).toBe(0);
  });

  it("keeps the service's own faults, which belong to no stay", () => {
    const fault = alert({ id: "f", stay: null, ward: null, bed: null, kind: "technical" });
    const view = hear(open, "alert", { alert: fault, event });
    expect([...view.faults.keys()]).toEqual(["f"]);
    expect(hear(view, "alert", { alert: { ...fault, state: "closed" }, event }).faults.size).toBe(0);
    expect(hear(EMPTY, "snapshot", { time: at(0), stays: [], alerts: [fault, alert()] }).faults.size).toBe(1);
  });

  it("never changes a view that somebody holds", () => {
    const before = JSON.stringify([...open.stays]);
    hear(open, "alert", { alert: alert(), event });
    hear(open, "stay", stay({ bed: "99" }));
    expect(JSON.stringify([...open.stays])).toBe(before);
  });

  it("is not live while a heartbeat says so, and again when one does not", () => {
    const still = hear(open, "heartbeat", { time: at(0), last_message_age_s: 0, ready: false, live: false, reasons: ["the engine stands still"] });
    expect(still.live).toBe(false);
    expect(hear(still, "heartbeat", { time: at(0), last_message_age_s: 0, ready: true, reasons: [] }).live).toBe(true);
  });

  it("knows how far the evaluation has come, whatever the heartbeat says", () => {
    expect(evaluatedUntil(EMPTY)).toBeNull();
    const two = hear(open, "stay", stay({ id: "s2", time: at(-5_000) }));
    expect(evaluatedUntil(hear(two, "heartbeat", { time: at(-90_000), ready: true, reasons: [] }))).toBe(NOW + 5_000);
  });

  it("ignores an event that it does not know", () => expect(hear(open, "weather", {})).toBe(open));
});
