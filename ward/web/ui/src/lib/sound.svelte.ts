/**
 * Whether this screen sounds, and the sounding itself. Nothing here touches what is seen: silence never ends a flash.
 *
 * Browsers play nothing before somebody has touched the page, and may stop it again: what the state says is what the
 * browser really does, not what was asked of it.
 */

import { api } from "./api";
import { wards, type BedView } from "./board";
import { Uptime } from "./clock";
import { BURSTS, EDGE, highOnes, PARTIALS, soundFor } from "./sound";
import type { Priority } from "./types";

/** off: somebody chose so; blocked: the browser plays nothing until the page is touched; elsewhere: another screen of the
 * ward sounds for all. */
export type SoundState = "on" | "off" | "blocked" | "paused" | "elsewhere";

const TICK_MS = 250;
const ASK_MS = 3_000;
/** The word that another screen sounds holds so long; without a fresh one this screen sounds. */
const WORD_MS = 7_000;
export const PAUSES_MIN: readonly number[] = [2, 5];
const KEY = "ward.sound";

function remembered(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

class Sound {
  wanted = $state(remembered());
  /** The browser plays. */
  runs = $state(false);
  /** Until when nothing sounds (ms of `uptime`); 0: not paused. */
  pausedUntil = $state(0);
  /** Now, on the same clock. */
  now = $state(0);
  /** Wards for which another screen sounds. */
  quiet = $state.raw<ReadonlySet<string>>(new Set());
  /** How many bursts were played, and the last of them: for whoever tests it. */
  played = $state(0);
  last = $state<Priority | null>(null);
  shown = $state.raw<readonly BedView[]>([]);

  readonly #uptime = new Uptime();
  readonly #screen = Math.random().toString(36).slice(2);
  readonly #words = new Map<string, number>();
  #context: AudioContext | null = null;
  #shared = false;
  #known: ReadonlySet<string> = new Set();
  #nextAt = 0;
  #playing: Priority | null = null;
  #heard = 0;
  #askAt = 0;
  #notLive = false;

  readonly left = $derived(Math.max(0, this.pausedUntil - this.now));
  readonly state: SoundState = $derived.by(() => {
    if (!this.wanted) return "off";
    if (!this.runs) return "blocked";
    if (this.left > 0) return "paused";
    const all = wards(this.shown.map(({ stay }) => stay));
    return all.length && all.every((ward) => this.quiet.has(ward)) ? "elsewhere" : "on";
  });

  open(): void {
    setInterval(() => this.#tick(), TICK_MS);
    // Whoever touches the page for any reason also lets it sound.
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.wanted && void this.unblock(), { capture: true });
    if (this.wanted) void this.unblock();
  }

  /** What this screen shows, and whether it shows what is so now. */
  follow(views: readonly BedView[], notLive: boolean): void {
    this.shown = views;
    this.#notLive = notLive;
    const high = highOnes(views);
    const isNew = [...high].some((id) => !this.#known.has(id));
    if (this.pausedUntil && isNew) this.pausedUntil = 0;
    this.#known = high;
  }

  async unblock(): Promise<void> {
    try {
      this.#context ??= new AudioContext();
      if (this.#context.state !== "running") await this.#context.resume();
    } catch {
      // A browser without sound: the state says that it is blocked.
    }
    this.#look();
  }

  turn(on: boolean): void {
    this.wanted = on;
    this.pausedUntil = 0;
    try {
      localStorage.setItem(KEY, on ? "on" : "off");
    } catch {
      // It is asked again the next time.
    }
    if (on) void this.unblock();
    this.#askAt = 0;
  }

  pause(minutes: number): void {
    this.pausedUntil = minutes ? this.#uptime.read() + minutes * 60_000 : 0;
    this.now = this.#uptime.read();
    this.#nextAt = 0;
  }

  /** From now on this screen sounds for its wards. */
  take(): void {
    this.quiet = new Set();
    this.#words.clear();
    void this.#ask(true);
  }

  /** One burst, so that somebody hears how loud it is. */
  listen(): void {
    void this.unblock().then(() => this.#play("medium"));
  }

  #look(): boolean {
    const context = this.#context;
    this.runs = context?.state === "running";
    return this.runs;
  }

  #tick(): void {
    const at = (this.now = this.#uptime.read());
    if (this.pausedUntil && at >= this.pausedUntil) this.pausedUntil = 0;
    this.#look();
    this.quiet = this.#fresh(at);
    if (at >= this.#askAt) void this.#ask(false);
    const wanted = this.#notLive ? "medium" : soundFor(this.shown.filter(({ stay }) => !this.quiet.has(stay.ward)));
    if (!wanted || this.state === "off" || this.state === "blocked" || this.state === "paused") {
      this.#playing = null;
      return;
    }
    // What is more urgent does not wait for the pause after what was less.
    if (wanted !== this.#playing) this.#nextAt = Math.min(this.#nextAt, at);
    if (at < this.#nextAt) return;
    this.#playing = wanted;
    this.#nextAt = at + BURSTS[wanted].every;
    this.#play(wanted);
  }

  #fresh(at: number): ReadonlySet<string> {
    const fresh = [...this.#words].filter(([, word]) => at - word < WORD_MS).map(([ward]) => ward);
    return fresh.length === this.quiet.size && fresh.every((ward) => this.quiet.has(ward)) ? this.quiet : new Set(fresh);
  }

  /** Says that this screen can sound, and hears whether another does. Only a clock that goes on proves that it can. */
  async #ask(take: boolean): Promise<void> {
    const at = this.#uptime.read();
    this.#askAt = at + ASK_MS;
    const all = wards(this.shown.map(({ stay }) => stay));
    if (!all.length || this.#notLive || !this.wanted) return;
    const played = this.#context?.currentTime ?? 0;
    const able = this.runs && (played > this.#heard || take);
    this.#heard = played;
    try {
      const answer = await api.sounds(this.#screen, all, able, take);
      this.#shared = Object.values(answer).some(({ shared }) => shared);
      for (const [ward, { sounds, others }] of Object.entries(answer)) {
        if (!sounds && others > 0) this.#words.set(ward, at);
        else this.#words.delete(ward);
      }
      // A ward that lets every screen sound is asked rarely whether it still does.
      if (!this.#shared) this.#askAt = at + 10 * ASK_MS;
    } catch {
      // No word: this screen sounds as soon as the last one is too old.
    }
  }

  #play(priority: Priority): void {
    const context = this.#context;
    if (!context || context.state !== "running") return;
    const { pulses, length, pitch, volume } = BURSTS[priority];
    const wave = context.createPeriodicWave(new Float32Array([0, ...PARTIALS.map(() => 0)]), new Float32Array([0, ...PARTIALS]));
    const loudness = context.createGain();
    loudness.connect(context.destination);
    loudness.gain.value = 0;
    const tone = context.createOscillator();
    tone.setPeriodicWave(wave);
    tone.frequency.value = pitch;
    tone.connect(loudness);
    const begin = context.currentTime + 0.02;
    for (const at of pulses) {
      const edge = length * EDGE;
      loudness.gain.setValueAtTime(0, begin + at);
      loudness.gain.linearRampToValueAtTime(volume, begin + at + edge);
      loudness.gain.setValueAtTime(volume, begin + at + length - edge);
      loudness.gain.linearRampToValueAtTime(0, begin + at + length);
    }
    tone.onended = () => loudness.disconnect();
    tone.start(begin);
    tone.stop(begin + (pulses.at(-1) ?? 0) + length);
    this.played++;
    this.last = priority;
  }
}

export const sound = new Sound();
