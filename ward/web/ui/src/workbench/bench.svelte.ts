/** What lies on the workbench, and the trials that go on. One for the page's life: who looks at a draft and comes back finds it. */

import { Problem } from "../lib/api";
import { ward } from "../lib/ward.svelte";
import { t } from "../text";
import { bench as api, bringRecording, runTrial, type Progress, type TrialAnswer, type Recording, type TrialHistory, type TrialRequest } from "./api";
import { cellAt, heatOf } from "./heat";
import { candidateRequest, changesOf, mapRequest, periodFor, sample, spanOf, type Period, type Span } from "./plan";
import { editOf, movable, type Edit, type FullRule } from "./rules";

/** A recording is tried as a whole. */
const EVERYTHING: Span = { start: 0, end: 0, cut: false };
const SETTLE_MS = 300;
/** The service needs a moment to end a trial that was hung up on, and does one at a time. */
const ENDING_MS = 700;

/** What is going on: the map, or the candidate; of some patients first, then of all. */
export interface Job {
  kind: "map" | "candidate";
  first: boolean;
}

interface Found {
  key: string;
  answer: TrialAnswer;
  /** Of some patients only. */
  first: boolean;
}

class Bench {
  history = $state.raw<TrialHistory | null>(null);
  rules = $state.raw<FullRule[]>([]);
  scope = $state("");
  ruleId = $state("");
  edits = $state.raw<ReadonlyMap<string, Edit>>(new Map());
  period = $state<Period>("day");
  events = $state.raw<{ stay: string; time: string }[] | null>(null);
  wanted = $state(3);
  holds = $state.raw<ReadonlyMap<string, number>>(new Map());
  recordings = $state.raw<Recording[]>([]);
  recording = $state("");
  labels = $state("");
  found = $state.raw<Found | null>(null);
  map = $state.raw<Found | null>(null);
  job = $state.raw<Job | null>(null);
  progress = $state.raw<Progress | null>(null);
  failure = $state("");
  stopped = $state(false);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;

  readonly rule = $derived(this.rules.find(({ id }) => id === this.ruleId) ?? null);
  readonly present = $derived(this.rule && editOf(this.rule));
  readonly edit = $derived(this.edits.get(this.ruleId) ?? this.present);
  readonly place = $derived(this.rule && movable(this.rule));
  readonly span = $derived<Span | null>(this.recording ? EVERYTHING : this.history && spanOf(this.history, this.period));
  readonly changes = $derived(changesOf(this.rules, this.edits));
  readonly heat = $derived(this.map && heatOf(this.map.answer, this.place?.clause.op.startsWith("<") ?? true));
  readonly key = $derived(this.#request(candidateRequest));
  readonly mapKey = $derived(this.#request(mapRequest));
  /** The cell of the map that is just what is chosen, where nothing but what the map moves was moved. */
  readonly cell = $derived.by(() => {
    if (!this.edit || !this.place || this.map?.key !== this.mapKey) return null;
    return cellAt(this.heat, this.edit.thresholds[this.place.at] ?? null, this.edit.for);
  });
  /** The trial of exactly what is chosen, over everybody. */
  readonly exact = $derived(this.found && this.found.key === this.key && !this.found.first ? this.found.answer : null);

  #request(make: typeof candidateRequest): string {
    const asked = this.#asked();
    const request = asked && make(asked);
    return request ? JSON.stringify(request) : "";
  }

  #asked() {
    const { rule, span, rules, edits, scope, events, wanted, holds, recording, labels } = this;
    return rule && span && scope ? { rule, span, rules, edits, scope, events, wanted, holds, recording, labels } : null;
  }

  /** Reads what there is; `rule`: to begin with. */
  async open(rule: string): Promise<void> {
    if (!this.scope) this.scope = ward.session?.wards?.length ? `ward:${ward.session.wards[0]}` : "all";
    try {
      const [history, rules, recordings] = await Promise.all([api.history(), api.rules(this.scope), api.recordings()]);
      this.recordings = recordings.items;
      const isFirst = this.history === null;
      this.history = history;
      if (isFirst) this.period = periodFor(history);
      this.rules = rules.items;
      const known = (id: string): boolean => rules.items.some((one) => one.id === id);
      if (known(rule)) this.ruleId = rule;
      else if (!known(this.ruleId)) this.ruleId = (rules.items.find((one) => one.kind === "physiological") ?? rules.items[0])?.id ?? "";
      this.failure = "";
      this.touch();
    } catch (error) {
      this.failure = error instanceof Problem ? error.message : t.errors.load;
    }
  }

  choose(rule: string): void {
    this.ruleId = rule;
    this.map = null;
    this.touch();
  }

  async chooseScope(scope: string): Promise<void> {
    this.scope = scope;
    this.map = this.found = null;
    await this.open(this.ruleId);
  }

  move(change: Partial<Edit>): void {
    if (!this.edit) return;
    this.edits = new Map([...this.edits, [this.ruleId, { ...this.edit, ...change }]]);
    this.touch();
  }

  moveThreshold(at: number, value: number): void {
    if (this.edit) this.move({ thresholds: this.edit.thresholds.map((old, i) => (i === at ? value : old)) });
  }

  /** How long a reading counts; what is in force is no change. */
  hold(signal: string, ms: number, present: number): void {
    const holds = new Map(this.holds);
    if (ms === present) holds.delete(signal);
    else holds.set(signal, ms);
    this.holds = holds;
    this.touch();
  }

  /** Over a recording; "": over what is stored. Of one patient's rules there is no recording. */
  over(recording: string): void {
    this.recording = recording;
    this.map = this.found = null;
    if (recording && this.scope.startsWith("stay:")) void this.chooseScope(ward.session?.wards?.length ? `ward:${ward.session.wards[0]}` : "all");
    else this.touch();
  }

  async bring(file: File): Promise<void> {
    this.failure = "";
    try {
      const made = await bringRecording(file);
      this.recordings = [...this.recordings, made];
      this.over(made.id);
    } catch (error) {
      this.failure = error instanceof Problem ? error.message : t.errors.network;
    }
  }

  async takeAway(id: string): Promise<void> {
    try {
      await api.takeAway(id);
      this.recordings = this.recordings.filter((one) => one.id !== id);
      if (this.recording === id) this.over("");
    } catch (error) {
      this.failure = error instanceof Problem ? error.message : t.errors.network;
    }
  }

  /** One rule as it is in force; without a name all of them. */
  reset(rule?: string): void {
    this.edits = rule ? new Map([...this.edits].filter(([id]) => id !== rule)) : new Map();
    this.holds = new Map();
    this.touch();
  }

  /** Something moved: what goes on is of no use any more; what is now is tried as soon as it stands still. */
  touch(): void {
    const wait = this.job ? ENDING_MS : SETTLE_MS;
    this.stop();
    this.stopped = false;
    this.#timer = setTimeout(() => void this.#run(), wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.stopped = this.job !== null;
    this.#running?.abort();
    this.#running = null;
    this.job = this.progress = null;
  }

  async #run(): Promise<void> {
    const asked = this.#asked();
    if (!asked) return;
    const running = (this.#running = new AbortController());
    const { key, mapKey } = this;
    const few = this.recording || this.scope.startsWith("stay:") ? null : sample(this.#stays());
    const [candidate, map] = [candidateRequest(asked), mapRequest(asked)];
    this.failure = "";
    const attempt = async (kind: Job["kind"], request: TrialRequest, first: boolean): Promise<void> => {
      this.job = { kind, first };
      this.progress = { done: 0, what: "" };
      const given = first && few ? { ...request, stays: few } : request;
      const answer = await runTrial(given, (progress) => running.signal.aborted || (this.progress = progress), running.signal);
      if (running.signal.aborted) return;
      if (kind === "map") this.map = { key: mapKey, answer, first };
      else this.found = { key, answer, first };
    };
    try {
      const isMapped = this.map?.key === mapKey && !this.map.first;
      if (map && !isMapped && few && this.map?.key !== mapKey) await attempt("map", map, true);
      if (candidate && this.found?.key !== key && few && !this.cell) await attempt("candidate", candidate, true);
      if (candidate && !this.exact) await attempt("candidate", candidate, false);
      if (map && !isMapped) await attempt("map", map, false);
    } catch (error) {
      if (!running.signal.aborted) this.failure = error instanceof Problem ? error.message : t.errors.network;
    }
    if (this.#running === running) this.job = this.progress = null;
  }

  #stays(): string[] {
    const here = this.scope.startsWith("ward:") ? this.scope.slice(5) : null;
    return [...ward.view.stays.values()].filter((stay) => here === null || stay.ward === here).map(({ id }) => id);
  }
}

export const bench = new Bench();
