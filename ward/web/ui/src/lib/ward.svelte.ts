/** The one store: the event stream folded into a view, the server's time, and whether all this is live. */

import { api, apiUrl, Problem } from "./api";
import { serverNow, Uptime, type ServerTime } from "./clock";
import type { Message } from "./sse";
import { alertChanged, EMPTY, evaluatedUntil, fold, type View } from "./state";
import { WardStream, type Connection } from "./stream";
import type { Alert, Notice, Session } from "./types";

/** Nothing heard for this long, and the whole screen says so (the law allows 10 s). */
export const NOT_LIVE_MS = 8_000;
/**
 * Heartbeats may come although the evaluation stands still: then even the newest view of a stay is this old
 * (real ms). The service tells every stay anew at least each 5 s.
 */
const STANDSTILL_MS = 9_000;
const TICK_MS = 500;
const SECOND_MS = 1_000;
/** How often the server is told that somebody touches the screen. */
const TOUCH_MS = 30_000;

class Ward {
  view = $state.raw<View>(EMPTY);
  connection = $state<Connection>("connecting");
  session = $state.raw<Session | null>(null);
  loggedOut = $state(false);
  /** Somebody wants to do what needs logging in again. */
  asksLogin = $state(false);
  /** The server's time now (ms), estimated; 0 before anything was heard. */
  now = $state(0);
  notLive = $state(false);
  /** Server time until which this screen is true; null before anything was heard. */
  lastLive = $state<number | null>(null);
  /** How long ago that is, in real ms. */
  silence = $state(0);

  /** Who answers for what is to be shown; called when the view has taken in what came before it. */
  onNotices: (notices: Notice[]) => void = () => undefined;

  readonly #uptime = new Uptime();
  #time: ServerTime | null = null;
  #heardAt = 0;
  #touchedAt = 0;
  #evaluated: number | null = null;
  readonly #stream = new WardStream({
    url: apiUrl("events?form=changes"),
    onMessages: (messages) => this.#hear(messages),
    onConnection: (state) => {
      // Whoever comes back may come back to less: what may be done now is asked for anew.
      if (state === "open" && this.connection !== "open") void this.#refresh();
      this.connection = state;
      if (state === "unauthorised") this.loggedOut = true;
    },
  });

  open(): void {
    this.#heardAt = this.#uptime.read();
    setInterval(() => this.#tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => this.#tick());
    addEventListener("online", () => this.#stream.poke());
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.#touch(), { capture: true, passive: true });
    void this.enter();
  }

  /** Connects, at the start and after logging in. */
  async enter(): Promise<void> {
    this.loggedOut = false;
    this.#heardAt = this.#uptime.read();
    this.#stream.start();
    try {
      this.session = await api.session();
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        this.#stream.stop();
        this.loggedOut = true;
      }
    }
  }

  async leave(everywhere = false): Promise<void> {
    const next = this.session?.log_out_url;
    await (everywhere ? api.logoutEverywhere() : api.logout());
    this.#stream.stop();
    this.view = EMPTY;
    this.session = null;
    this.loggedOut = true;
    if (next) location.assign(next);
  }

  /** After logging in over the board: it stays where it is, and one may act again. */
  async goOn(): Promise<void> {
    this.asksLogin = false;
    this.loggedOut = false;
    this.#stream.start();
    this.#stream.poke();
    await this.#refresh();
  }

  /** A board to look at: a screen on the wall, or one that nobody has touched for long. */
  get readOnly(): boolean {
    return this.isWall || (this.session?.limited ?? false);
  }

  get isWall(): boolean {
    return this.session?.role === "kiosk";
  }

  async #refresh(): Promise<void> {
    try {
      this.session = await api.session();
    } catch {
      // The stream tells what matters: that the session is over, or that there is no connection.
    }
  }

  #touch(): void {
    const at = this.#uptime.read();
    if (this.readOnly || !this.session || at - this.#touchedAt < TOUCH_MS) return;
    this.#touchedAt = at;
    void api.touch().then((session) => (this.session = session), () => undefined);
  }

  /** Roles differ in what they may do; until that is known nothing is hidden. */
  may(what: string): boolean {
    return this.session?.may?.includes(what) ?? true;
  }

  retry(): void {
    this.#stream.poke();
  }

  /** The server's answer to an act, ahead of the event that will tell the same. */
  apply(alert: Alert | null | undefined, reopened = false): void {
    if (alert?.id) this.view = alertChanged(this.view, alert, reopened);
  }

  #hear(messages: Message[]): void {
    const at = this.#uptime.read();
    let view = this.view;
    const notices: Notice[] = [];
    for (const message of messages) {
      try {
        if (message.event === "notice") notices.push(JSON.parse(message.data) as Notice);
        const next = fold(view, message);
        if (next.time !== null && next.time !== view.time) {
          this.#time = { server: next.time, heardAt: at, speed: next.speed };
        }
        view = next;
      } catch (error) {
        // One message that cannot be read must not end the stream; the next snapshot repairs it.
        console.error("unreadable event", message.event, error);
      }
    }
    this.#heardAt = at;
    this.view = view;
    this.#evaluated = evaluatedUntil(view);
    this.#tick();
    if (notices.length) this.onNotices(notices);
  }

  #tick(): void {
    const at = this.#uptime.read();
    this.silence = at - this.#heardAt;
    this.notLive = this.silence >= NOT_LIVE_MS;
    if (!this.#time) return;
    const now = serverNow(this.#time, at);
    // Nobody reads parts of a second, and all that shows an age is drawn anew with each.
    this.now = now - (now % SECOND_MS);
    this.lastLive = serverNow(this.#time, this.#heardAt);
    const behind = this.#evaluated === null ? 0 : (now - this.#evaluated) / this.#time.speed;
    if (this.notLive || (this.view.live && behind < STANDSTILL_MS)) return;
    this.notLive = true;
    this.lastLive = this.#evaluated;
    this.silence = behind;
  }
}

export const ward = new Ward();
