/** Windows of time, and what hands do to them. Pure, but for `gestures`. */

export interface Window {
  start: number;
  end: number;
}

/** Closer than this nothing more is to be seen. */
export const CLOSEST_MS = 60_000;

/** `factor` below 1 comes closer; `at` stays where it is. Null: it is all of the range again. */
export function zoomed(shown: Window, all: Window, factor: number, at = (shown.start + shown.end) / 2): Window | null {
  const length = Math.max(CLOSEST_MS, (shown.end - shown.start) * factor);
  if (length >= all.end - all.start) return null;
  const share = (at - shown.start) / (shown.end - shown.start);
  return within({ start: at - share * length, end: at + (1 - share) * length }, all);
}

/** Moved by a share of what is shown. */
export function panned(shown: Window, all: Window, share: number): Window | null {
  const by = (shown.end - shown.start) * share;
  return shown.end - shown.start >= all.end - all.start ? null : within({ start: shown.start + by, end: shown.end + by }, all);
}

function within({ start, end }: Window, all: Window): Window {
  const over = Math.max(0, end - all.end) || Math.min(0, start - all.start);
  return { start: start - over, end: end - over };
}

export interface Hands {
  /** The share of the width (0 to 1) at which a screen position lies. */
  share(clientX: number): number;
  zoom(factor: number, share: number): void;
  pan(share: number): void;
  point(share: number): void;
}

/** Pinch and two-finger drag, and the wheel with Ctrl (which is what touchpads send for a pinch) or Shift. */
export function gestures(element: HTMLElement, hands: Hands): () => void {
  const down = new Map<number, number>();
  let before: { middle: number; apart: number } | null = null;

  function wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const delta = event.deltaY || event.deltaX;
    if (event.ctrlKey) hands.zoom(Math.exp(Math.max(-1, Math.min(1, delta / 120)) * 0.3), hands.share(event.clientX));
    else hands.pan(Math.sign(delta) * 0.1);
  }

  function start(event: PointerEvent): void {
    if (event.pointerType !== "touch") return;
    down.set(event.pointerId, event.clientX);
    before = null;
    if (down.size === 1) hands.point(hands.share(event.clientX));
  }

  function move(event: PointerEvent): void {
    if (!down.has(event.pointerId)) return;
    down.set(event.pointerId, event.clientX);
    const [one, other] = [...down.values()];
    if (one === undefined) return;
    if (other === undefined) return hands.point(hands.share(one));
    const now = { middle: hands.share((one + other) / 2), apart: Math.max(0.02, Math.abs(hands.share(one) - hands.share(other))) };
    if (before) {
      hands.zoom(before.apart / now.apart, now.middle);
      hands.pan(before.middle - now.middle);
    }
    before = now;
  }

  function end(event: PointerEvent): void {
    down.delete(event.pointerId);
    before = null;
  }

  element.addEventListener("wheel", wheel, { passive: false });
  element.addEventListener("pointerdown", start);
  for (const name of ["pointermove", "pointerup", "pointercancel"] as const) addEventListener(name, name === "pointermove" ? move : end);
  return () => {
    element.removeEventListener("wheel", wheel);
    element.removeEventListener("pointerdown", start);
    for (const name of ["pointermove", "pointerup", "pointercancel"] as const) removeEventListener(name, name === "pointermove" ? move : end);
  };
}
