/** The calls of the workbench: trials, drafts, and the history of rules. */

import { apiUrl, Problem, wordsFor } from "../lib/api";
import { request } from "../lib/client";
import { EventParser } from "../lib/sse";
import type { Page, Priority, Vitals } from "../lib/types";
import { t } from "../text";
import type { FullRule } from "./rules";

export interface Quantiles {
  median: number;
  p90: number;
  most: number;
}

export interface Setting {
  label: string;
  threshold: number | null;
  /** s */
  for: number | null;
  alerts: number;
  alerts_per_day: number;
  alerts_per_day_interval: [number, number] | null;
  all_alerts_per_day: number;
  interruptions_per_day: number | null;
  distribution: { stays: number; without: number; median: number | null; p90: number | null; most: number | null; top_tenth_share: number | null };
  alert_hours_per_day: number;
  gained: number;
  lost: number;
  delay_s: Quantiles | null;
  caught: number;
  recall: number | null;
  recall_interval: [number, number] | null;
  precision: number | null;
  precision_interval: [number, number] | null;
  lead_s: Quantiles | null;
  on_front: boolean;
}

export interface ByRule {
  rule: string;
  title: string;
  priority: Priority;
  now: number;
  candidate: number;
  gained: number;
  lost: number;
}

export interface ByPatient {
  stay: string;
  ward: string;
  bed: string;
  hours: number;
  now: number;
  candidate: number;
  gained: number;
  lost: number;
}

export interface Changed {
  stay: string;
  rule: string;
  title: string;
  priority: Priority;
  breach_since: string;
  raised_at: string;
  cleared_at: string | null;
  delay_s: number | null;
}

export type ChangeKind = "lost" | "gained" | "moved";

export interface Suggestion {
  wanted_per_day: number;
  chosen: Setting | null;
  cheapest: Setting | null;
  front: string[];
  held_out: { per_day: number; caught: number; events: number; recall: number | null } | null;
}

export interface TrialAnswer {
  id?: string | null;
  /** Times count from 1970: of a recording that gives seconds. */
  relative?: boolean;
  stays: number;
  patient_days: number;
  readings: number;
  events: { kind: "labelled" | "severe"; count: number; stays: number };
  in_force: Setting;
  settings: Setting[];
  suggestion: Suggestion | null;
  by_rule: ByRule[];
  by_day: { day: string; date?: string | null; now: number; candidate: number }[];
  patients: ByPatient[];
  changes?: Record<ChangeKind, { count: number; items: Changed[] }> | null;
}

/** What a draft keeps of a trial. */
export interface KeptTrial extends Pick<TrialAnswer, "stays" | "patient_days" | "events" | "in_force" | "by_rule" | "by_day"> {
  candidate: Setting | null;
  asked: { start: number | null; end: number | null; wards: string[] | null; recording?: string | null };
}

export interface TrialRequest {
  rules?: Record<string, unknown>[];
  holds?: Record<string, string>;
  recording?: string;
  labels?: string;
  grid?: { rule: string; signal: string; thresholds: number[]; for: string[] };
  start?: string;
  end?: string;
  ward?: string;
  stays?: string[];
  scope?: string;
  events?: { stay: string; time: string }[];
  suggest?: { per_day: number };
  listed: boolean;
}

/** A file that rules can be tried over. */
export interface Recording {
  id: string;
  name: string;
  size: number;
  brought: boolean;
  until: string | null;
}

export interface TrialHistory {
  start: string | null;
  end: string | null;
  now: string;
  readings: number;
  stays: number;
}

export type DraftState = "proposed" | "approved" | "rejected" | "withdrawn" | "applied" | "returned";
export type DraftAct = "comment" | "approve" | "reject" | "withdraw" | "apply" | "return";

export interface ShortDraft {
  id: string;
  title: string;
  why: string | null;
  scope: string;
  state: DraftState;
  by: string;
  at: string;
  approved_by: string | null;
  approved_at: string | null;
  changes: { rule: string; base: FullRule | null; change: Record<string, unknown>; after: FullRule | null }[];
}

export interface Draft extends ShortDraft {
  trial: KeptTrial | null;
  conflicts: { rule: string; now: FullRule | null }[];
  second_person: { required: boolean; others: number };
  may: DraftAct[];
  log: { at: string; by: string; kind: DraftAct | "propose"; text: string | null }[];
}

export interface Version {
  rule_id: string;
  scope: string;
  version: number;
  definition: FullRule;
  by: string;
  at: string;
  follows: boolean;
  retired: boolean;
  draft: string | null;
  proposed_by: string | null;
  approved_by: string | null;
  why: string | null;
}

/** The query that asks for a scope. */
function inScope(scope: string): { ward?: string; stay?: string } {
  const at = scope.indexOf(":");
  return at < 0 ? {} : { [scope.slice(0, at)]: scope.slice(at + 1) };
}

const ACTS = {
  comment: "drafts/{draft}/comment",
  approve: "drafts/{draft}/approve",
  reject: "drafts/{draft}/reject",
  withdraw: "drafts/{draft}/withdraw",
  apply: "drafts/{draft}/apply",
  return: "drafts/{draft}/return",
} as const satisfies Record<DraftAct, string>;

const LOOK_MS = 60_000;

export const bench = {
  history: () => request("get", "trials/history") as Promise<TrialHistory>,
  rules: (scope: string) => request("get", "rules", { query: inScope(scope) }) as unknown as Promise<Page<FullRule>>,
  versions: (rule: string) => request("get", "rules/{rule}/history", { path: { rule } }) as unknown as Promise<Page<Version>>,
  recordings: () => request("get", "recordings") as unknown as Promise<Page<Recording>>,
  /** A span of a recording (ms as it counts); it is read as a whole for it, which takes a while. */
  recorded: (recording: string, stay: string, start: number, end: number, signal: string[], resolution: number | null) =>
    request("get", "recordings/{recording}/vitals", {
      path: { recording },
      query: { stay, start: Math.floor(start), end: Math.ceil(end), signal, resolution: resolution === null ? null : String(resolution) },
      wait: LOOK_MS,
    }) as unknown as Promise<Vitals>,
  takeAway: (recording: string) => request("delete", "recordings/{recording}", { path: { recording } }),
  drafts: () => request("get", "drafts", { query: { limit: 200 } }) as unknown as Promise<Page<ShortDraft>>,
  draft: (id: string) => request("get", "drafts/{draft}", { path: { draft: id } }) as unknown as Promise<Draft>,
  propose: (draft: { title: string; why: string; scope: string; trial: string }, key: string) =>
    request("post", "drafts", { body: draft, key }) as unknown as Promise<Draft>,
  act: (id: string, act: DraftAct, text: string, key: string) =>
    request("post", ACTS[act], { path: { draft: id }, body: { text }, key }) as unknown as Promise<Draft>,
};

/** The file itself is the body. Raises `Problem`. */
export async function bringRecording(file: File): Promise<Recording> {
  let response: Response;
  try {
    response = await fetch(`${apiUrl("recordings")}?name=${encodeURIComponent(file.name.slice(0, 200))}`, {
      method: "POST",
      headers: { "Content-Type": "text/csv", "X-Ward-Request": "1" },
      body: file,
      credentials: "same-origin",
    });
  } catch {
    throw new Problem(t.errors.network, 0);
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Problem(wordsFor(response.status, answer as never), response.status);
  return answer as Recording;
}

/** So often a trial is asked for again while the one before it is still being ended. */
const TRIES = 8;
const PAUSE_MS = 600;

export interface Progress {
  /** 0 to 1 */
  done: number;
  what: string;
}

const wait = (length: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, length);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("", "AbortError"));
    }, { once: true });
  });

/** Hanging up (`signal`) ends it on the server, too. Raises `Problem`, or an AbortError. */
export async function runTrial(request: TrialRequest, tell: (progress: Progress) => void, signal: AbortSignal): Promise<TrialAnswer> {
  for (let tries = 1; ; tries++) {
    try {
      return await once(request, tell, signal);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 429 || tries === TRIES) throw error;
      await wait(PAUSE_MS, signal);
    }
  }
}

async function once(request: TrialRequest, tell: (progress: Progress) => void, signal: AbortSignal): Promise<TrialAnswer> {
  let response: Response;
  try {
    response = await fetch(apiUrl("rules/trial"), {
      method: "POST",
      headers: { Accept: "text/event-stream", "Content-Type": "application/json", "X-Ward-Request": "1" },
      body: JSON.stringify(request),
      credentials: "same-origin",
      cache: "no-store",
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Problem(t.errors.network, 0);
  }
  if (!response.ok || !response.body) {
    throw new Problem(wordsFor(response.status, await response.json().catch(() => null)), response.status);
  }
  return await follow(response.body, tell, signal);
}

async function follow(body: ReadableStream<Uint8Array>, tell: (progress: Progress) => void, signal: AbortSignal): Promise<TrialAnswer> {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Problem(t.errors.network, 0);
      for (const { event, data } of parser.feed(decoder.decode(value, { stream: true }))) {
        if (event === "progress") tell(JSON.parse(data) as Progress);
        else if (event === "result") return JSON.parse(data) as TrialAnswer;
        else if (event === "error") {
          const problem = JSON.parse(data) as { status: number; detail?: string };
          throw new Problem(wordsFor(problem.status, problem), problem.status);
        }
      }
    }
  } catch (error) {
    if (error instanceof Problem || signal.aborted) throw error;
    throw new Problem(t.errors.network, 0);
  }
}
