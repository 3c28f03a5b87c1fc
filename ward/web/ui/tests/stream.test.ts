import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ANSWER_MS, SILENCE_MS, WardStream, type Connection } from "../src/lib/stream";

interface Call {
  headers: Record<string, string>;
  signal: AbortSignal;
  answer(status: number): void;
  fail(): void;
  send(text: string): void;
  end(): void;
}

/** A server whose every step the test decides. */
function server(): { calls: Call[]; fetch: typeof fetch } {
  const calls: Call[] = [];
  const ask = (_url: unknown, init?: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      let writer: ReadableStreamDefaultController<Uint8Array>;
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (writer = controller) });
      const signal = init?.signal as AbortSignal;
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      calls.push({
        headers: init?.headers as Record<string, string>,
        signal,
        answer: (status) => resolve(new Response(status === 200 ? body : null, { status })),
        fail: () => reject(new TypeError("network")),
        send: (text) => writer.enqueue(new TextEncoder().encode(text)),
        end: () => writer.close(),
      });
    });
  return { calls, fetch: ask as typeof fetch };
}

function open() {
  const { calls, fetch } = server();
  const messages: string[] = [];
  const states: Connection[] = [];
  const stream = new WardStream({
    url: "http://x/api/v1/events",
    fetch,
    random: () => 0.5,
    onMessages: (own) => messages.push(...own.map(({ event, data }) => `${event} ${data}`)),
    onConnection: (state) => states.push(state),
  });
  stream.start();
  return { calls, messages, states, stream, last: () => calls.at(-1) as Call };
}

const pass = (time: number): Promise<unknown> => vi.advanceTimersByTimeAsync(time);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the event stream", () => {
  it("hands on what comes and says that it is open only then", async () => {
    const { last, messages, states } = open();
    last().answer(200);
    await pass(0);
    expect(states).toEqual(["connecting"]);
    last().send('event: heartbeat\ndata: {}\n\n');
    await pass(0);
    expect(messages).toEqual(["heartbeat {}"]);
    expect(states).toEqual(["connecting", "open"]);
  });

  it("comes back after the connection ended, and resumes from the last id", async () => {
    const { calls, last } = open();
    expect(last().headers["Last-Event-ID"]).toBeUndefined();
    last().answer(200);
    last().send("id: 41\nevent: alert\ndata: {}\n\n");
    await pass(0);
    last().end();
    await pass(250);
    expect(calls).toHaveLength(2);
    expect(last().headers["Last-Event-ID"]).toBe("41");
  });

  it("gives a silent connection up", async () => {
    const { calls, last, states } = open();
    last().answer(200);
    last().send("event: heartbeat\ndata: {}\n\n");
    await pass(SILENCE_MS - 1);
    expect(calls[0]?.signal.aborted).toBe(false);
    await pass(1);
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(states.at(-1)).toBe("waiting");
    await pass(250);
    expect(calls).toHaveLength(2);
  });

  it("leaves connections that lead nowhere fast, and waits for a server that is slow", async () => {
    const { calls } = open();
    const delays = [250, 500, 1_000, 2_000, 4_000];
    for (const [turn, patience] of [...ANSWER_MS, SILENCE_MS].entries()) {
      await pass(patience - 1);
      expect(calls[turn]?.signal.aborted).toBe(false);
      await pass(1);
      expect(calls[turn]?.signal.aborted).toBe(true);
      await pass(delays[Math.min(turn, 4)] ?? 0);
      expect(calls).toHaveLength(turn + 2);
    }
  });

  it("gives an answer that begins and then is silent the whole patience", async () => {
    const { calls, last } = open();
    await pass((ANSWER_MS[0] ?? 0) - 1);
    last().answer(200);
    await pass(SILENCE_MS - 1);
    expect(calls).toHaveLength(1);
    await pass(251);
    expect(calls).toHaveLength(2);
  });

  it("waits longer after each failure, at most 4 s, and tries at once when poked", async () => {
    const { calls, last, stream } = open();
    for (const delay of [250, 500, 1_000, 2_000, 4_000, 4_000]) {
      const before = calls.length;
      last().fail();
      await pass(delay - 1);
      expect(calls).toHaveLength(before);
      await pass(1);
      expect(calls).toHaveLength(before + 1);
    }
    const before = calls.length;
    last().fail();
    await pass(1);
    stream.poke();
    await pass(0);
    expect(calls).toHaveLength(before + 1);
  });

  it("is back to short waits once something has come", async () => {
    const { calls, last } = open();
    last().fail();
    await pass(250);
    last().fail();
    await pass(500);
    last().answer(200);
    last().send("event: heartbeat\ndata: {}\n\n");
    await pass(0);
    last().end();
    await pass(250);
    expect(calls).toHaveLength(4);
  });

  it("asks for a log-in on 401 and does not hammer the server", async () => {
    const { calls, last, states } = open();
    last().answer(401);
    await pass(60_000);
    expect(states.at(-1)).toBe("unauthorised");
    expect(calls).toHaveLength(1);
  });

  it("tries again on a server's fault, and after logging in", async () => {
    const { calls, last, stream } = open();
    last().answer(503);
    await pass(250);
    expect(calls).toHaveLength(2);
    last().answer(401);
    await pass(0);
    stream.start();
    expect(calls).toHaveLength(3);
  });

  it("stops when told", async () => {
    const { calls, stream, states } = open();
    stream.stop();
    await pass(60_000);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(states.at(-1)).toBe("stopped");
  });
});
