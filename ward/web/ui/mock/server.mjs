/**
 * A small stand-in for the service: `npm run build && npm run mock`, then open the address that it prints.
 * PORT, SPEED (ward seconds in a second), BASE (a sub-path), TOKEN (ask for a log-in), BEDS, PLAN (every bed like this one). `POST /mock/silence?s=20`
 * stops all events for a while, `/mock/standstill?s=20` all but the heartbeats; `POST /mock/fail?n=1` lets the next acts fail.
 */

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { Bed, HOUR, iso, MINUTE } from "./beds.mjs";

const PORT = Number(process.env.PORT ?? 8765);
const SPEED = Number(process.env.SPEED ?? 1);
const BASE = process.env.BASE ?? "/";
const TOKEN = process.env.TOKEN ?? null;
const DIST = fileURLToPath(new URL("../../ui_dist/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".ico": "image/x-icon", ".woff2": "font/woff2" };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const origin = Date.now();
const now = () => origin + (Date.now() - origin) * SPEED;
const beds = Array.from({ length: Number(process.env.BEDS ?? 24) }, (_, i) => new Bed(i + 1, origin));
const clients = new Set();
let silentUntil = 0;
let standstillUntil = 0;
let failures = 0;
let seq = 100;

function tell(event, data, id) {
  if (Date.now() < silentUntil) return;
  const text = `${id ? `id: ${id}\n` : ""}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  for (const client of clients) client.write(text);
}

const snapshot = () => ({ time: iso(now()), speed: SPEED, stays: beds.map((bed) => bed.view(now())) });
setInterval(() => tell("heartbeat", { time: iso(now()), speed: SPEED, last_message_age_s: 0.4 * SPEED, ready: true, reasons: [] }), 3_000);
setInterval(() => { if (Date.now() < standstillUntil) return; for (const bed of beds) tell("stay", bed.view(now())); }, 2_000);

function send(response, status, body, type = "application/json") {
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" });
  response.end(body === null ? "" : JSON.stringify(body));
}
const problem = (response, status, title, detail) =>
  send(response, status, { type: `/problems/${title.toLowerCase().replace(/\W+/g, "-")}`, title, status, detail }, "application/problem+json");

async function body(request) {
  let text = "";
  for await (const piece of request) text += piece;
  return text ? JSON.parse(text) : {};
}

function act(response, id, what, data) {
  const waiting = beds.find((one) => one.view(now()).pending.some((pending) => pending.id === id));
  if (waiting) waiting.shelve(id, now());
  const bed = beds.find((one) => one.alerts.some((alert) => alert.id === id));
  const alert = bed?.alerts.find((one) => one.id === id);
  if (!alert) return problem(response, 404, "Not found", "No such alert.");
  if (failures > 0) { failures--; return problem(response, 409, "Conflict with the present state", "Jonas Berg took this alert at 03:12."); }
  const before = alert.state;
  if (what === "acknowledge") Object.assign(alert, { state: before === "returned" ? "closed" : "acknowledged", acknowledged_by: "You", acknowledged_at: iso(now()), assessment: data.assessment });
  if (what === "shelve") Object.assign(alert, { state: "shelved", shelved_by: "You", shelved_until: iso(now() + data.minutes * MINUTE) });
  if (what === "unshelve") Object.assign(alert, { state: "active", shelved_until: null });
  tell("alert", { alert, event: { seq: ++seq, at: iso(now()), kind: what, by: "You", before, after: alert.state } }, seq);
  send(response, 200, alert);
}

const RULES = [
  ["spo2-below-92", "SpO2 below 92 % for 60 min", "medium", ["spo2 < 92"]], ["spo2-below-88", "SpO2 below 88 % for 10 min", "high", ["spo2 < 88"]],
  ["spo2-below-85", "SpO2 below 85 % for 5 min", "high", ["spo2 < 85"]], ["spo2-below-80", "SpO2 below 80 % for 1 min", "high", ["spo2 < 80"]],
  ["rr-24", "RR 24 or more for 5 min", "medium", ["rr >= 24"]], ["rr-5", "RR 5 or less", "high", ["rr <= 5", "hr > 20"]],
  ["hr-130", "HR above 130 for 30 min", "high", ["hr > 130"]], ["hr-111", "HR 111 or more for 60 min", "medium", ["hr >= 111"]],
  ["hr-30", "HR below 30", "high", ["hr < 30"]], ["hr-40", "HR below 40", "high", ["hr >= 30", "hr < 40"]],
  ["sbp-91", "SBP below 91", "medium", ["sbp < 91"]], ["sbp-180", "SBP above 180", "medium", ["sbp > 180"]], ["sbp-220", "SBP 220 or more", "high", ["sbp >= 220"]],
].map(([id, title, priority, when]) => ({ id, title, priority, kind: "physiological", when, for: "5m" }));

const page = (items, more = {}) => ({ items, next: null, ...more });

async function route(request, response, path, query) {
  const loggedIn = !TOKEN || request.headers.cookie?.includes("mock=1");
  if (path === "session" && request.method === "POST") {
    if ((await body(request)).token !== TOKEN) return problem(response, 401, "Log in first", "Unknown token.");
    response.setHeader("Set-Cookie", "mock=1; HttpOnly; SameSite=Strict");
    return send(response, 200, { name: "You", role: "nurse", wards: ["4B"] });
  }
  if (!loggedIn) return problem(response, 401, "Log in first", "No session.");
  if (path === "session" && request.method === "DELETE") { response.setHeader("Set-Cookie", "mock=0; Max-Age=0"); return send(response, 204, null); }
  if (path === "session") return send(response, 200, { name: "You", role: "nurse", wards: ["4B"] });
  if (path === "events") {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(`event: snapshot\ndata: ${JSON.stringify(snapshot())}\n\nevent: heartbeat\ndata: ${JSON.stringify({ time: iso(now()), speed: SPEED, last_message_age_s: 1, ready: true, reasons: [] })}\n\n`);
    clients.add(response);
    return request.on("close", () => clients.delete(response));
  }
  const [kind, id, what] = path.split("/");
  if (kind === "alerts" && id) return act(response, id, what, await body(request));
  if (kind === "alerts") {
    const bed = beds.find((one) => one.id === query.get("stay"));
    const old = bed ? [bed.alert({ title: "HR 111 or more for 60 min", priority: "medium", signal: "hr", value: 118, minutes: 190, state: "acknowledged", by: "Jonas Berg" }, 9, origin)] : [];
    for (const one of old) Object.assign(one, { state: "closed", raised_at: iso(origin - 2.2 * HOUR), acknowledged_at: iso(origin - 2.1 * HOUR), cleared_at: iso(origin - 1.5 * HOUR), closed_at: iso(origin - 1.5 * HOUR), close_reason: "cleared" });
    return send(response, 200, page([...(bed?.alerts ?? []), ...old]));
  }
  if (kind === "rules") return send(response, 200, page(RULES));
  if (kind === "dead-letters") return send(response, 200, page([{ received_at: iso(now() - 40_000), topic: "ward/v1/4B/mon-31/vitals", reason: "unknown-signal", detail: "'spo22' is not a signal" }], { count: 17 }));
  if (path === "devices/unassigned") return send(response, 200, page([{ device: "mon-31", ward: "4B", stay: null, bed: null, online: true, last_seen_at: iso(now() - 2_000), offset_s: 0 }]));
  if (kind === "devices") return send(response, 200, page(beds.flatMap((bed) => bed.view(now()).devices.map((device) => ({ ...device, ward: "4B", stay: bed.id, bed: bed.bed })))));
  const bed = beds.find((one) => one.id === id);
  if (!bed) return problem(response, 404, "Not found", "No such stay.");
  if (what === "vitals") return send(response, 200, bed.vitals(Date.parse(query.get("start")), query.has("end") ? Date.parse(query.get("end")) : now(), Number(query.get("resolution")) || null));
  if (what === "score") {
    const contributions = [["breathing", 0.8, "RR rose from 16 to 24 in 4 h"], ["oxygen", 0.3, "SpO2 fell from 97 to 94 % in 6 h"], ["temperature", -0.2, "Temperature steady at 36.9 °C"]];
    const reasons = contributions.map(([group, log_odds, words]) => ({ group, log_odds, words }));
    const known = bed.view(now()).news2?.score !== null;
    const risk = known ? { state: "known", value: 0.18, low: 0.11, high: 0.29, above: 93, missing: [], contributions: reasons } : { state: "not-enough-data", missing: ["rr", "sbp", "temp"] };
    return send(response, 200, { stay: bed.id, risk: { ...risk, computed_at: iso(now() - 3 * MINUTE), model: "mock" } });
  }
  if (what === "observations") { bed.observed = { ...{ consciousness: "A", oxygen: false }, ...bed.observed, ...(await body(request)), time: iso(now()) }; tell("stay", bed.view(now())); return send(response, 201, {}); }
  if (what === "pause") { const { minutes } = await body(request); bed.pausedUntil = minutes ? now() + minutes * MINUTE : null; tell("stay", bed.view(now())); return send(response, 200, {}); }
  return send(response, 200, bed.view(now()));
}

createServer((request, response) => {
  const url = new URL(request.url, "http://mock");
  if (url.pathname === "/mock/silence") { silentUntil = Date.now() + Number(url.searchParams.get("s")) * 1_000; return send(response, 200, {}); }
  if (url.pathname === "/mock/standstill") { standstillUntil = Date.now() + Number(url.searchParams.get("s")) * 1_000; return send(response, 200, {}); }
  if (url.pathname === "/mock/fail") { failures = Number(url.searchParams.get("n")); return send(response, 200, {}); }
  if (!url.pathname.startsWith(BASE)) return problem(response, 404, "Not found", "");
  const path = url.pathname.slice(BASE.length);
  response.setHeader("Content-Security-Policy", CSP);
  if (path.startsWith("api/v1/")) return void route(request, response, path.slice(7), url.searchParams).catch((error) => problem(response, 500, "Fault", String(error)));
  const file = join(DIST, normalize(path === "" ? "index.html" : path));
  if (!file.startsWith(DIST) || !existsSync(file) || !statSync(file).isFile()) return problem(response, 404, "Not found", "");
  response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "text/plain" });
  createReadStream(file).pipe(response);
}).listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}${BASE}`));
