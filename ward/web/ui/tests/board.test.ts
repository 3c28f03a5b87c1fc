import { describe, expect, it } from "vitest";
import { alertedSignals, bedView, board, count, takeable, timeLeft, untaken, wards } from "../src/lib/board";
import { alert, at, MINUTE, NOW, pending, stay } from "./make";

describe("who needs somebody comes first", () => {
  it("orders by need, then by bed as people count beds", () => {
    const stays = [
      stay({ id: "calm10", bed: "10" }),
      stay({ id: "calm9", bed: "9" }),
      stay({ id: "technical", bed: "1", alerts: [alert({ kind: "technical", priority: "high" })] }),
      stay({ id: "pending", bed: "2", pending: [pending()] }),
      stay({ id: "taken", bed: "3", alerts: [alert({ state: "acknowledged" })] }),
      stay({ id: "returned", bed: "4", alerts: [alert({ state: "returned" })] }),
      stay({ id: "low", bed: "5", alerts: [alert({ priority: "low" })] }),
      stay({ id: "medium", bed: "6", alerts: [alert({ priority: "medium" })] }),
      stay({ id: "high12", bed: "12", alerts: [alert()] }),
      stay({ id: "high7", bed: "7", alerts: [alert()] }),
      stay({ id: "shelved", bed: "8", alerts: [alert({ state: "shelved" })] }),
    ];
    expect(board(stays, null).map((view) => view.stay.id)).toEqual(
      ["high7", "high12", "medium", "returned", "low", "technical", "taken", "shelved", "pending", "calm9", "calm10"],
    );
  });

  it("counts only beds that nobody has taken as needing somebody", () => {
    expect(untaken(bedView(stay({ alerts: [alert({ state: "returned" })] })))).toBe(true);
    expect(untaken(bedView(stay({ alerts: [alert({ priority: "low" })] })))).toBe(true);
    expect(untaken(bedView(stay({ alerts: [alert({ state: "acknowledged" })] })))).toBe(false);
    expect(untaken(bedView(stay({ alerts: [alert({ kind: "technical" })] })))).toBe(true);
    expect(untaken(bedView(stay({ alerts: [alert({ kind: "technical", state: "acknowledged" })] })))).toBe(false);
    expect(untaken(bedView(stay({ pending: [pending({ priority: "high" })] })))).toBe(false);
  });

  it("leads with the worst thing of a bed and keeps the others", () => {
    const view = bedView(
      stay({
        alerts: [
          alert({ id: "medium", priority: "medium" }),
          alert({ id: "younger", breach_since: at(5 * MINUTE) }),
          alert({ id: "older", breach_since: at(20 * MINUTE) }),
          alert({ id: "taken", state: "acknowledged" }),
        ],
        pending: [pending()],
      }),
    );
    expect(view.worst?.alert?.id).toBe("older");
    expect(view.others.map((thing) => (thing.alert ?? thing.pending).id)).toEqual(["younger", "medium", "taken", "p1"]);
  });

  it("never lets a taken high alert hide a medium one that nobody has", () => {
    const view = bedView(stay({ alerts: [alert({ id: "h", state: "acknowledged" }), alert({ id: "m", priority: "medium" })] }));
    expect(view.need).toBe("medium");
  });

  it("does not show what is suppressed or closed", () => {
    const view = bedView(stay({ alerts: [alert({ state: "closed" })], pending: [pending({ state: "suppressed" })] }));
    expect(view.need).toBe("calm");
  });

  it("keeps a bed calm whose measurement is merely due, and still says so below", () => {
    const view = bedView(stay({ pending: [pending({ kind: "technical" })] }));
    expect([view.need, view.worst, view.others.length]).toEqual(["calm", null, 1]);
    const both = bedView(stay({ pending: [pending({ id: "t", kind: "technical" }), pending()] }));
    expect([both.need, both.others.length]).toEqual(["pending", 1]);
  });

  it("shows one ward when asked, and no discharged stay", () => {
    const stays = [stay({ id: "a", ward: "4B" }), stay({ id: "b", ward: "6A" }), stay({ id: "c", discharged_at: at(0) })];
    expect(board(stays, "6A").map((view) => view.stay.id)).toEqual(["b"]);
    expect(board(stays, null)).toHaveLength(2);
    expect(wards(stays)).toEqual(["4B", "6A"]);
    expect(count(board(stays, null)).calm).toBe(2);
  });
});

it("offers only untaken alerts for taking", () => {
  const ids = takeable(stay({ alerts: [alert({ id: "a" }), alert({ id: "b", state: "shelved" }), alert({ id: "c", state: "returned" })] }));
  expect(ids.map(({ id }) => id)).toEqual(["a", "c"]);
});

it("marks the signals that alerts are about with their gravest priority", () => {
  const marked = alertedSignals(stay({ alerts: [alert({ priority: "medium" }), alert({ id: "b" }), alert({ id: "c", signal: "hr", state: "shelved" })] }));
  expect([...marked]).toEqual([["spo2", "high"]]);
});

describe("time left of a pending alert", () => {
  const own = stay();
  it("counts down from the moment of the view", () => {
    expect(timeLeft(pending(), own, NOW + MINUTE)).toBe(120_000);
  });
  it("ends at nothing, and is unknown when the server does not say", () => {
    expect(timeLeft(pending(), own, NOW + 10 * MINUTE)).toBe(0);
    expect(timeLeft(pending({ left_s: null }), own, NOW)).toBeNull();
  });
});
