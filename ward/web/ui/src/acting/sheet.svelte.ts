/** Which question is on the screen, about one alert of a stay: why and how long to shelve, to whom to give it, all there is. */

export type Asked = "more" | "shelve" | "hand-over" | "note";

export interface Sheet {
  kind: Asked;
  stay: string | null;
  alert: string;
}

let sheet = $state.raw<Sheet | null>(null);

export function currentSheet(): Sheet | null {
  return sheet;
}

export function ask(next: Sheet): void {
  sheet = next;
}

export function closeSheet(): void {
  sheet = null;
}
