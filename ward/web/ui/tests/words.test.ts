import { expect, it } from "vitest";
import { wordsFor } from "../src/lib/api";
import { bedView } from "../src/lib/board";
import { faultWords, headline, nameOf, newsLacks, pendingWords, titleOf, whoHas } from "../src/lib/words";
import { chooseLanguage } from "../src/text";
import { alert, at, MINUTE, NOW, pending, signal, stay } from "./make";

it("says who has an alert, in every state", () => {
  expect(whoHas(alert(), NOW)).toBe("Nobody has it");
  expect(whoHas(alert({ state: "acknowledged", acknowledged_by: "Anna" }), NOW)).toBe("Anna has it");
  expect(whoHas(alert({ state: "returned", cleared_at: at(5 * MINUTE) }), NOW)).toMatch(/^over at \d\d:\d\d, nobody took it$/);
  expect(whoHas(alert({ state: "shelved", shelved_by: "Bo", shelved_until: at(-MINUTE) }), NOW)).toMatch(/^shelved by Bo until \d\d:\d\d$/);
});

it("says what a partial or stale score lacks", () => {
  const shown = { text: "5+", score: 5, missing: ["oxygen", "consciousness"], stale: ["temp"], staleAge: 540 * MINUTE, notFor: "" };
  expect(newsLacks(shown)).toBe("no O₂, ACVPU · stale temp 9 h");
  expect(newsLacks({ ...shown, missing: [], stale: [] })).toBe("");
  expect(newsLacks({ ...shown, notFor: "not in pregnancy" })).toBe("not in pregnancy");
});

it("says when a pending alert is told", () => {
  const { worst } = bedView(stay({ pending: [pending({ due_at: at(-90_000) })] }));
  expect(worst && pendingWords(worst, NOW)).toBe("tells in 1:30");
  expect(worst && pendingWords(worst, NOW + 10 * MINUTE)).toBe("tells now");
});

it("writes titles with subscripts", () => {
  const { worst } = bedView(stay({ alerts: [alert()] }));
  expect(worst && titleOf(worst)).toBe("SpO₂ below 88 % for 10 min");
});

it("calls an alert by its name in the chosen language, or as it was named", async () => {
  const named = { title: "SpO2 below 88 %", titles: { da: "SpO2 under 88 %" } };
  expect(nameOf(named)).toBe("SpO₂ below 88 %");
  await chooseLanguage("da");
  expect(nameOf(named)).toBe("SpO₂ under 88 %");
  await chooseLanguage("nb");
  expect(nameOf(named)).toBe("SpO₂ below 88 %");
  await chooseLanguage("en");
});

it("says what is wrong with the service: in English in its own words, else by the parts that fail", async () => {
  const view = { reasons: ["not connected to the broker"], failing: ["broker", "x-part"] };
  expect(faultWords(view)).toBe("not connected to the broker");
  await chooseLanguage("da");
  expect(faultWords(view)).toBe("ingen forbindelse til brokeren: der kommer intet fra udstyret · en del af systemet fejler: x-part");
  expect(faultWords({ ...view, failing: [] })).toBe("not connected to the broker");
  await chooseLanguage("en");
});

it("puts every kind of refusal into words, with the server's detail where it helps", () => {
  expect(wordsFor(401, null)).toMatch(/logged out/);
  expect(wordsFor(403, { detail: "Only nurses of 4B." })).toBe("You are not allowed to do this. Only nurses of 4B.");
  expect(wordsFor(404, { detail: "no alert a1" })).toBe("This is not there any more.");
  expect(wordsFor(409, { detail: "Bo took it." })).toBe("Somebody else was faster. Bo took it.");
  expect(wordsFor(409, { detail: "bed 3 of ward 6A is taken", code: "bed-taken", params: { bed: "3", ward: "6A" } })).toBe(
    "Somebody else was faster. Bed 3 of ward 6A is taken.",
  );
  expect(wordsFor(422, { detail: "new in this version", code: "from-the-future" })).toBe("new in this version");
  expect(wordsFor(422, { detail: "minutes must be at most 60" })).toBe("minutes must be at most 60");
  expect(wordsFor(500, { detail: "stack trace" })).toMatch(/fault \(500\)/);
  expect(wordsFor(400, null)).toMatch(/fault \(400\)/);
});

it("says the worst thing in words, with the value of now and where it goes", () => {
  const since = at(12 * MINUTE);
  const say = (own: Parameters<typeof stay>[0], ...alerts: Parameters<typeof alert>): string => {
    const given = stay({ ...own, alerts: [alert({ breach_since: since, ...alerts[0] })] });
    const { worst } = bedView(given);
    return worst ? headline(worst, given, NOW, 1).replaceAll("\u00a0", " ") : "";
  };
  const low = { spo2: signal({ value: 84, unit: "%", trend: "falling" as const }) };
  expect(say({ signals: low })).toBe("SpO₂ 84 % for 12 min, falling");
  expect(say({ signals: { spo2: signal({ value: 84, unit: "%" }) } })).toBe("SpO₂ 84 % for 12 min");
  expect(say({ signals: low }, { in_breach: false })).toBe("SpO₂ 84 % now, was 86");
  expect(say({ signals: { spo2: signal({ value: 95, unit: "%" }) } }, { state: "returned" })).toBe("SpO₂ 95 % now, was 86");
  // What is not measured now is not told as if it were.
  expect(say({ signals: { spo2: signal({ value: 84, state: "stale", trend: "falling" }) } })).toBe("SpO₂ unknown, was 86");
  expect(say({})).toBe("SpO₂ unknown, was 86");
  // A pulse stands in for a heart rate that is not known, under its own name.
  const heart = { signal: "hr", signals: ["hr"], value: 35 };
  expect(say({ signals: { hr: signal({ state: "stale" }), pr: signal({ value: 34 }) } }, heart)).toBe("Pulse 34 for 12 min");
  expect(say({ signals: { ...low, rr: signal({ value: 9 }) } }, { signal: "rr", signals: ["rr", "spo2"], value: 8 })).toBe("Resp 9, SpO₂ 84 % for 12 min");
  expect(say({}, { kind: "technical", title: "Device lost: mon-1" })).toBe("Device lost: mon-1");
  expect(say({ signals: low }, { signal: "risk", title: "Risk of 0.4 or more" })).toBe("Risk of 0.4 or more");
});

it("says what a pause holds back", () => {
  const own = stay({ pending: [pending({ left_s: null, held_by: "pause" })] });
  const { worst } = bedView(own);
  expect(worst && pendingWords(worst, NOW)).toBe("held back while away");
});
