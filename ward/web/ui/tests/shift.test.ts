import { describe, expect, it } from "vitest";
import { changeWords, scoreWords } from "../src/handover/words";
import { byBed, carerWords, isMine } from "../src/shift/carers";
import { parseClause, withNumbers } from "../src/shift/limits";
import { NOW, stay } from "./make";

const carer = { person: "ada", name: "Ada Berg", since: "2026-11-21T06:30:00Z", until: "2026-11-21T14:30:00Z" };

describe("who has a patient", () => {
  it("says so, and until when", () => {
    expect(carerWords(stay({ carer }), NOW)).toMatch(/^Ada Berg until \d\d:\d\d$/);
  });

  it("says that nobody has her, and who had her last", () => {
    expect(carerWords(stay({ carer: null }), NOW)).toBe("Nobody has this patient");
    const before = { name: "Ada Berg", until: "2026-11-21T14:30:00Z", reason: "the shift is over" };
    expect(carerWords(stay({ carer: null, carer_before: before }), NOW)).toMatch(/^Nobody \(Ada Berg until/);
  });

  it("is mine by my name alone", () => {
    expect(isMine(stay({ carer }), "Ada Berg")).toBe(true);
    expect(isMine(stay({ carer }), "Ben Cole")).toBe(false);
    expect(isMine(stay({ carer: null }), undefined)).toBe(false);
  });

  it("sorts beds as people number them", () => {
    expect(["10", "2", "1a", "1"].map((bed) => ({ bed })).sort(byBed).map(({ bed }) => bed)).toEqual(["1", "1a", "2", "10"]);
  });
});

describe("limits of one patient", () => {
  it("finds the number in a clause, if it has one", () => {
    expect(parseClause("spo2 < 88")).toEqual({ signal: "spo2", op: "<", number: 88 });
    expect(parseClause("temp >= 38.5")).toEqual({ signal: "temp", op: ">=", number: 38.5 });
    expect(parseClause("spo2 absent")).toBeNull();
  });

  it("changes numbers and nothing else", () => {
    expect(withNumbers(["sbp < 100", "hr > 110", "spo2 absent"], [90, null, 5])).toEqual(["sbp < 90", "hr > 110", "spo2 absent"]);
  });
});

describe("a handover", () => {
  it("never shows an unknown score as a number", () => {
    expect(scoreWords(null)).toBe("?");
    expect(scoreWords({ score: null, risk: null, partial: false, not_applicable: null })).toBe("?");
    expect(scoreWords({ score: 5, risk: "medium", partial: true, not_applicable: null })).toBe("5+");
  });

  it("says what changed, and who did it", () => {
    const change = { at: "2026-11-21T12:00:00Z", kind: "flags", by: "dr", detail: { before: [], after: ["copd"] } };
    expect(changeWords(change)).toBe("flags: – → copd (dr)");
    expect(changeWords({ ...change, kind: "paused", by: null, detail: { reason: "scan" } })).toBe("away: Scan");
    expect(changeWords({ ...change, kind: "something-new", by: null })).toBe("something-new");
  });
});
