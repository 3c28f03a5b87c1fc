/** One thing that is sent and may fail: what it is at, and in words why it did not go. */

import { untrack } from "svelte";
import { newKey } from "../acting/acting.svelte";
import { Problem } from "../lib/api";
import { t } from "../text";

export class Doing {
  busy = $state(false);
  failure = $state("");
  #key = newKey();

  /**
   * True when it went through. Trying again sends the same key until then, so that it counts once. An effect that
   * calls this follows nothing that is read here: else it would run again with each answer.
   */
  run(work: (key: string) => Promise<unknown>): Promise<boolean> {
    return untrack(() => this.#run(work));
  }

  async #run(work: (key: string) => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.failure = "";
    try {
      await work(this.#key);
      this.#key = newKey();
      return true;
    } catch (error) {
      this.failure = error instanceof Problem ? error.message : t.errors.network;
      // What was refused is decided; only what got no answer may have happened, and is asked for again as it was.
      if (error instanceof Problem && error.status) this.#key = newKey();
      return false;
    } finally {
      this.busy = false;
    }
  }
}
