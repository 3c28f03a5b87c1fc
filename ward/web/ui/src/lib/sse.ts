/** Parser of the server-sent events format (WHATWG HTML, 9.2.6), for streams read with fetch. */

export interface Message {
  event: string;
  data: string;
}

export class EventParser {
  /** The last id that was seen, to resume from; ids stay valid until another comes. */
  lastId = "";
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | null = null;

  /** Takes text in pieces of any size, also cut within a line; gives the messages that it completes. */
  feed(text: string): Message[] {
    const messages: Message[] = [];
    this.#rest += text;
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.#rest);
      // A lone CR at the very end may be the first half of CR LF.
      if (!end || (end[0] === "\r" && end.index === this.#rest.length - 1)) return messages;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      if (line) this.#field(line);
      else this.#finish(messages);
    }
  }

  /** A new connection: what was cut off is forgotten, the last id is kept. */
  restart(): void {
    this.#rest = "";
    this.#event = "";
    this.#data = [];
    this.#id = null;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  #finish(messages: Message[]): void {
    if (this.#id !== null) this.lastId = this.#id;
    if (this.#data.length) messages.push({ event: this.#event || "message", data: this.#data.join("\n") });
    this.#event = "";
    this.#data = [];
    this.#id = null;
  }
}
