/**
 * The connection to `/events`. Over fetch rather than EventSource, because EventSource hides the status:
 * a 401 could not be told from a lost network, and a silent connection could not be noticed.
 */

import { EventParser, type Message } from "./sse";

export type Connection = "connecting" | "open" | "waiting" | "unauthorised" | "stopped";

export interface StreamOptions {
  url: string;
  onMessages(messages: Message[]): void;
  onConnection(state: Connection): void;
  fetch?: typeof fetch;
  random?: () => number;
}

/** Heartbeats come every 3 s; a connection that is silent for longer than this is given up. */
export const SILENCE_MS = 9_000;
/**
 * How long an answer is waited for, by how often in a row none came. After roaming the browser still asks over
 * connections that lead nowhere, one after the other: those are left fast. A service that is only slow is waited for.
 */
export const ANSWER_MS = [3_000, 3_000, 3_000, 5_000, SILENCE_MS];
const DELAYS_MS = [250, 500, 1_000, 2_000, 4_000];

/** The step of that number, or the last there is. */
const upTo = (steps: readonly number[], number: number): number => steps[Math.min(number, steps.length - 1)] ?? SILENCE_MS;

export class WardStream {
  #options: StreamOptions;
  #parser = new EventParser();
  #abort: AbortController | null = null;
  #wake: (() => void) | null = null;
  #running = false;
  #failures = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#failures = 0;
    void this.#run();
  }

  stop(): void {
    this.#running = false;
    this.#abort?.abort();
    this.#wake?.();
    this.#options.onConnection("stopped");
  }

  /** Try again at once, for instance when the network is back or somebody asks for it. */
  poke(): void {
    this.#failures = 0;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (this.#running) {
      this.#options.onConnection("connecting");
      const end = await this.#connect().catch(() => "lost" as const);
      if (!this.#running) return;
      if (end === "unauthorised") {
        this.#running = false;
        this.#options.onConnection("unauthorised");
        return;
      }
      this.#options.onConnection("waiting");
      await this.#pause();
    }
  }

  async #connect(): Promise<"lost" | "unauthorised"> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#parser.restart();
    let watchdog = setTimeout(() => abort.abort(), upTo(ANSWER_MS, this.#failures));
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.#parser.lastId) headers["Last-Event-ID"] = this.#parser.lastId;
      const ask = this.#options.fetch ?? fetch;
      const response = await ask(this.#options.url, {
        headers,
        signal: abort.signal,
        cache: "no-store",
        credentials: "same-origin",
      });
      if (response.status === 401) return "unauthorised";
      if (!response.ok || !response.body) return "lost";
      clearTimeout(watchdog);
      watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
      const reader = response.body.getReader();
      abort.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "lost";
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
        const messages = this.#parser.feed(decoder.decode(value, { stream: true }));
        if (!messages.length || !this.#running) continue;
        this.#failures = 0;
        this.#options.onConnection("open");
        this.#options.onMessages(messages);
      }
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
  }

  /** Waits longer after each failure, with jitter so that a ward's screens do not come back in step. */
  async #pause(): Promise<void> {
    const random = this.#options.random ?? Math.random;
    const base = upTo(DELAYS_MS, this.#failures);
    this.#failures++;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, base * (0.75 + random() / 2));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}
