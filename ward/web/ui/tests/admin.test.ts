import { describe, expect, it } from "vitest";
import { publishCommand, simulateCommand } from "../src/admin/commands";
import { lineOf } from "../src/admin/curve";
import { listed } from "../src/admin/list";
import { helpFor } from "../src/admin/reasons";
import { momentOf } from "../src/admin/rehearsal";
import { CATALOGUES } from "../src/text/language.svelte";

describe("a command to copy", () => {
  it.each([
    ["mqtt://127.0.0.1:1883", "mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -t ward/v1/6A/mon-1/vitals"],
    ["mqtt://broker", "mosquitto_pub -h broker -p 1883 -q 1 -t ward/v1/6A/mon-1/vitals"],
    ["mqtts://ward:***@broker:8883", "mosquitto_pub -h broker -p 8883 -q 1 -u 6A/mon-1 -P PASSWORD --cafile ca.pem -t ward/v1/6A/mon-1/vitals"],
  ])("publishes at %s", (url, command) => expect(publishCommand(url, "6A", "mon-1")).toBe(`${command} -m '{"readings": {"hr": 82, "spo2": 97}}'`));

  it("quotes for the shell what is more than a word", () => {
    expect(publishCommand("mqtt://b", "6 A", "it's; rm")).toContain(String.raw`-t 'ward/v1/6 A/it'\''s; rm/vitals'`);
  });

  it("tells no masked password", () => {
    expect(simulateCommand("mqtts://ward:***@broker:8883", 8)).toBe("ward simulate --broker mqtts://USER:PASSWORD@broker:8883 --beds 8");
    expect(simulateCommand("mqtt://127.0.0.1:1884", 8)).toBe("ward simulate --broker mqtt://127.0.0.1:1884 --beds 8");
  });
});

describe("a curve", () => {
  it("has gaps where nothing is known, and dots where a point is alone", () => {
    expect(lineOf([0, 2, null, 4, null], 40, 10)).toEqual({ path: "M0 10L0 10L10 5M30 0L30 0", most: 4, last: null });
  });
  it("of nothing is nothing", () => expect(lineOf([null, null], 40, 10)).toEqual({ path: "", most: null, last: null }));
  it("of zeros lies on the ground", () => expect(lineOf([0, 0], 40, 10).path).toBe("M0 10L0 10L40 10"));
});

it.each([
  ["not connected to the broker: it refuses the service", "refused"],
  ["not connected to the broker", "broker"],
  ["the engine stands still for 12 s", "still"],
  ["outbox: no sign of life for 80 s", "still"],
  ["recovering, 40%", "backlog"],
  ["taking in what came while the service was away", "backlog"],
  ["plan: that of ward 6A cannot be followed", "plan"],
  ["something new", "other"],
])("%s is helped by %s", (reason, help) => {
  expect(helpFor(reason)).toBe(help);
  for (const words of Object.values(CATALOGUES)) expect(words.health.help[help]).toBeTruthy();
});

it("lists what stands between commas", () => {
  expect(listed(" 6A, 6B ,, ")).toEqual(["6A", "6B"]);
  expect(listed("  ")).toBeNull();
});

it("takes the next time that a clock shows so", () => {
  const now = new Date(2026, 10, 21, 20, 0);
  expect(momentOf("03:12", now)).toEqual(new Date(2026, 10, 22, 3, 12));
  expect(momentOf("20:00", now)).toEqual(now);
  expect(momentOf("21:30", now)).toEqual(new Date(2026, 10, 21, 21, 30));
  expect(momentOf("", now)).toEqual(now);
});
