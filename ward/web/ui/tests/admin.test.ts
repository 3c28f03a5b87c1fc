import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { publishCommand, simulateCommand } from "../src/admin/commands";
import { lineOf } from "../src/admin/curve";
import { listed } from "../src/admin/list";
import { reasonOf, REASONS } from "../src/admin/reasons";
import { momentOf } from "../src/admin/rehearsal";
import { CATALOGUES } from "./catalogues";

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

const params = (words: string): Set<string | undefined> => new Set([...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
const SERVICE = new URL("../../../", import.meta.url);
const SOURCES = ["live/health.py", "live/load.py", "live/faults.py", "live/runner.py", "live/recovery.py", "live/snapshots.py", "live/plans.py", "live/gatekeeper.py", "housekeeping.py"]
  .map((file) => readFileSync(new URL(file, SERVICE), "utf8"))
  .join("");

describe("why the service is not ready", () => {
  it.each([
    ["not connected to the broker: it refuses the service", "refused", "refused", {}],
    ["not connected to the broker", "broker", "broker", {}],
    ["the disk is nearly full: 90 MB left of 500", "diskLow", "disk", { left: "90", wanted: "500" }],
    ["journal: the disk is full", "diskFull", "disk", { part: "journal" }],
    ["journal: the database is locked", "locked", "other", { part: "journal" }],
    ["the machine's clock was set back by 40 s; restart when it is right", "clockBack", "clock", { seconds: "40" }],
    ["the engine stands still for 12 s", "still", "still", { seconds: "12" }],
    ["outbox: no sign of life for 80 s", "silent", "still", { part: "outbox", seconds: "80" }],
    ["recovering, 40%", "recovering", "backlog", { share: "40" }],
    ["taking in what came while the service was away", "backlog", "backlog", {}],
    ["plan: that of ward 6A cannot be followed (KeyError); the built-in one holds", "planUnfit", "plan", { ward: "6A" }],
    ["notify: ValueError", "part", "other", { part: "notify" }],
  ])("%s", (reason, says, help, found) => expect(reasonOf(reason)).toEqual({ says, help, params: found }));

  it("leaves what it does not know as it was said", () => expect(reasonOf("something new")).toBeNull());

  it("knows only what the service says, in every language, with the same particulars", () => {
    for (const { about, says, help } of REASONS) {
      const fixed = about.source.replace(/^\^/, "").split(/\(.*?\)|: /);
      const beginnings = fixed.map((piece) => piece.trim().replace(/ for$/, "").split(" ").slice(0, 4).join(" "));
      expect(beginnings.filter((words) => words.length > 9 && !SOURCES.includes(words))).toEqual([]);
      const given = new Set([...about.source.matchAll(/\?<(\w+)>/g)].map(([, name]) => name));
      for (const words of Object.values(CATALOGUES)) {
        expect(params(words.health.says[says] ?? "{missing}"), says).toEqual(given);
        expect(words.health.help[help], help).toBeTruthy();
      }
    }
  });
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
