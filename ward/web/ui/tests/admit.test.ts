import { describe, expect, it } from "vitest";
import { eventWords } from "../src/admit/log";
import { readLabel } from "../src/admit/label";
import { bedView, isUnmonitored, untaken } from "../src/lib/board";
import type { StayEvent } from "../src/admit/api";
import { alert, stay } from "./make";

describe("a label", () => {
  it.each([
    ["mon-12", { device: "mon-12", ward: null }],
    ["  mon-12\r\n", { device: "mon-12", ward: null }],
    ["\u0002mon-12\t", { device: "mon-12", ward: null }],
    ["6A/mon-12", { device: "mon-12", ward: "6A" }],
    ["ward/v1/6A/mon-12/vitals", { device: "mon-12", ward: "6A" }],
    ["ward/v1/6A/mon-12", { device: "mon-12", ward: "6A" }],
    ["mon 12", { device: "mon 12", ward: null }],
  ])("%j is a device's", (text, label) => expect(readLabel(text)).toEqual(label));

  it.each(["", "   ", "a/b/c", "#", "mon/+", "$SYS", "https://example.org/mon-12"])("%j is none", (text) =>
    expect(readLabel(text)).toBeNull(),
  );
});

describe("what was done to a stay", () => {
  const event = (kind: string, detail: Record<string, unknown> = {}, by: string | null = "Ada"): StayEvent => ({
    seq: 1,
    at: "2026-11-21T03:00:00Z",
    kind,
    by,
    detail,
  });
  it.each([
    [event("attached", { device: "mon-12", from_bed: "4" }), "mon-12 taken from bed 4 by Ada"],
    [event("detached", { device: "mon-12", to_bed: "5" }), "mon-12 was moved to bed 5 by Ada"],
    [event("detached", { device: "mon-12" }), "mon-12 detached by Ada"],
    [event("moved", { from_ward: "6A", from_bed: "1", ward: "6A", bed: "2" }), "moved from 1 to 2 by Ada"],
    [event("moved", { from_ward: "6A", from_bed: "1", ward: "6B", bed: "2" }), "moved from 6A 1 to 6B 2 by Ada"],
    [event("flags", { before: ["copd"], after: [] }), "flags set to none by Ada"],
    [event("pause-ended", {}, null), "back from a pause"],
    [event("of a newer service"), ""],
  ])("%j", (happened, words) => expect(eventWords(happened)).toBe(words));
});

describe("a patient without a device", () => {
  const device = { device: "mon", since: "", until: null, online: true, last_seen_at: null, offset_s: null };
  const alone = stay({ devices: [{ ...device, until: "2026-11-21T03:00:00Z" }], alerts: [], pending: [] });

  it("is not calm", () => {
    expect(isUnmonitored(alone)).toBe(true);
    expect(bedView(alone).need).toBe("unmonitored");
    expect(isUnmonitored({ ...alone, devices: [...alone.devices, device] })).toBe(false);
  });

  it("still shows the alert that is open, and calls nobody by itself", () => {
    expect(untaken(bedView(alone))).toBe(false);
    expect(bedView({ ...alone, alerts: [alert()] }).need).toBe("high");
    expect(bedView({ ...alone, alerts: [alert({ state: "acknowledged" })] }).need).toBe("unmonitored");
  });
});
