import { describe, expect, it } from "vitest";
import { alertedSignals, bedView, board, count, onlyHers, takeable, timeLeft, untaken, wards } from "../src/lib/board";
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
  it("counts down to the moment that the server names, and stands still where it names none", () => {
    expect(timeLeft(pending({ left_s: 180 }), NOW + MINUTE)).toBe(180_000);
    expect(timeLeft(pending({ due_at: at(-3 * MINUTE) }), NOW + MINUTE)).toBe(120_000);
  });
  it("ends at nothing, and is unknown when the server does not say", () => {
    expect(timeLeft(pending({ due_at: at(-3 * MINUTE) }), NOW + 10 * MINUTE)).toBe(0);
    expect(timeLeft(pending({ left_s: null }), NOW)).toBeNull();
  });
});

describe("among those who need somebody as badly", () => {
  it("whoever waits longest comes first, whatever the bed; the others lie by bed", () => {
    const stays = [
      stay({ id: "new", bed: "1", alerts: [alert({ breach_since: at(5 * MINUTE) })] }),
      stay({ id: "old", bed: "9", alerts: [alert({ breach_since: at(50 * MINUTE) })] }),
      stay({ id: "calm2", bed: "2", pending: [] }),
      stay({ id: "taken3", bed: "3", alerts: [alert({ state: "acknowledged", breach_since: at(MINUTE) })] }),
      stay({ id: "taken4", bed: "4", alerts: [alert({ state: "acknowledged", breach_since: at(90 * MINUTE) })] }),
    ];
    expect(board(stays, null).map((view) => view.stay.id)).toEqual(["old", "new", "taken3", "taken4", "calm2"]);
  });

  it("shows only hers when she asks, and every high alert that nobody took", () => {
    const carer = { person: "u1", name: "Anna", since: at(0), until: at(-8 * 60 * MINUTE) };
    const views = board(
      [stay({ id: "hers", carer }), stay({ id: "other", bed: "2" }), stay({ id: "high", bed: "3", alerts: [alert()] }), stay({ id: "low", bed: "4", alerts: [alert({ priority: "low" })] })],
      null,
    );
    expect(onlyHers(views, "Anna").map(({ stay: { id } }) => id).sort()).toEqual(["hers", "high"]);
    expect(onlyHers(views, null).map(({ stay: { id } }) => id)).toEqual(["high"]);
  });

  it("counts the time left from when a pending alert is due", () => {
    expect(timeLeft(pending({ due_at: at(-90_000), left_s: 999 }), NOW)).toBe(90_000);
  });

  it("gives the same view for the same state", () => {
    const one = stay();
    expect(bedView(one)).toBe(bedView(one));
  });
});
