/**
 * Everything by keyboard. A button names its key (`data-key`); pressing it presses the button that is meant: of the open
 * sheet, else of the bed or alert that has the focus, else the first on the page. `data-focus-key`: where a key only leads,
 * because pressing would choose something. Single letters can be switched off
 * (WCAG 2.1.4), and never act while somebody types.
 */

import { currentRoute, href } from "../lib/route.svelte";

const KEY = "ward.keys";

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

let on = $state(stored());
let help = $state(false);

export function keysOn(): boolean {
  return on;
}

export function switchKeys(): void {
  on = !on;
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // A screen that may not store anything has them on again next time.
  }
}

export function helpOpen(): boolean {
  return help;
}

export function showHelp(open: boolean): void {
  help = open;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

const CARDS = "[data-testid^=bed-]";

/** Beds by their order on the screen; the focus goes to the link that opens each. */
function nextBed(step: number): void {
  const cards = [...document.querySelectorAll<HTMLElement>(CARDS)];
  const here = cards.findIndex((card) => card.contains(document.activeElement));
  const to = cards[here < 0 ? (step > 0 ? 0 : cards.length - 1) : (here + step + cards.length) % cards.length];
  to?.querySelector<HTMLElement>("a")?.focus();
}

/** Where a key looks for its button: the sheet that is open, or what has the focus, or all of the page. */
function scopes(): ParentNode[] {
  const dialog = document.querySelector("dialog[open]");
  if (dialog) return [dialog];
  const within = document.activeElement?.closest(`[data-scope], ${CARDS}`);
  return within ? [within, document] : [document];
}

function button(key: string, by = "data-key"): HTMLElement | null {
  for (const scope of scopes()) {
    const found = [...scope.querySelectorAll<HTMLButtonElement>(`[${by}="${CSS.escape(key)}"]`)];
    const free = found.find((one) => !one.disabled && one.offsetParent !== null);
    if (free) return free;
  }
  return null;
}

export function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || isTyping(event.target)) return;
  if (event.key === "?") {
    help = !help;
    event.preventDefault();
    return;
  }
  if (!on || document.querySelector("[inert]")) return;
  const inSheet = document.querySelector("dialog[open]") !== null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const found = button(key);
  if (found) found.click();
  else if (inSheet) return;
  else if (button(key, "data-focus-key")) button(key, "data-focus-key")?.focus();
  else if (key === "b" && currentRoute().page !== "board") location.hash = href("board");
  else if (key === "j" || key === "k") nextBed(key === "j" ? 1 : -1);
  else return;
  event.preventDefault();
}
