import { describe, expect, it } from "vitest";
import { EventParser } from "../src/lib/sse";

describe("server-sent events", () => {
  it("reads events with name, data and id", () => {
    const parser = new EventParser();
    expect(parser.feed("id: 7\nevent: alert\ndata: {\"a\":\ndata: 1}\n\n")).toEqual([{ event: "alert", data: '{"a":\n1}' }]);
    expect(parser.lastId).toBe("7");
  });

  it("gives the same however the stream is cut, with any line ends", () => {
    const text = ": hello\r\nevent: stay\r\ndata: one\r\n\r\ndata:two\n\nevent: x\rid: 9\rdata: three\r\r\n";
    const whole = new EventParser().feed(text);
    for (let cut = 0; cut <= text.length; cut++) {
      const parser = new EventParser();
      expect([...parser.feed(text.slice(0, cut)), ...parser.feed(text.slice(cut))]).toEqual(whole);
    }
    const parser = new EventParser();
    expect([...text].flatMap((letter) => parser.feed(letter))).toEqual(whole);
    expect(whole.map(({ data }) => data)).toEqual(["one", "two", "three"]);
  });

  it("does not tell comments, and nothing before its empty line", () => {
    const parser = new EventParser();
    expect(parser.feed(": keep-alive\n\n")).toEqual([]);
    expect(parser.feed("id: 3\ndata: half\n")).toEqual([]);
    expect(parser.lastId).toBe("");
  });

  it("keeps the last id over a new connection and forgets what was cut off", () => {
    const parser = new EventParser();
    parser.feed("id: 3\ndata: a\n\nid: 4\ndata: lost");
    parser.restart();
    expect(parser.lastId).toBe("3");
    expect(parser.feed("data: b\n\n")).toEqual([{ event: "message", data: "b" }]);
    expect(parser.lastId).toBe("3");
  });
});
