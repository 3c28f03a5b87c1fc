/** Time on this page. Nothing else may read the browser's clock: it may be wrong, the server's counts. */

/** Local ms that never stand still and never run backwards, and that also count a suspended laptop's sleep. */
export class Uptime {
  #total = 0;
  #steady: number;
  #wall: number;

  constructor(
    private readonly steady: () => number = () => performance.now(),
    private readonly wall: () => number = () => Date.now(),
  ) {
    this.#steady = steady();
    this.#wall = wall();
  }

  read(): number {
    const steady = this.steady();
    const wall = this.wall();
    const ran = Math.max(0, steady - this.#steady);
    const passed = wall - this.#wall;
    // The steady clock may pause while the machine sleeps; a wall clock far ahead of it tells.
    this.#total += passed > ran + 2_000 ? passed : ran;
    this.#steady = steady;
    this.#wall = wall;
    return this.#total;
  }
}

/** The server's time as last heard, and how fast it runs (a demo's ward may run 60 times faster). */
export interface ServerTime {
  readonly server: number;
  readonly heardAt: number;
  readonly speed: number;
}

export function serverNow(time: ServerTime, uptime: number): number {
  return time.server + (uptime - time.heardAt) * time.speed;
}

export function ms(time: string | number | null | undefined): number | null {
  if (time === null || time === undefined) return null;
  const value = typeof time === "number" ? time : Date.parse(time);
  return Number.isFinite(value) ? value : null;
}
