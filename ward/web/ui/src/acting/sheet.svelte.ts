/** Which question is on the screen: taking or shelving one alert of a stay. */

export interface Sheet {
  kind: "acknowledge" | "shelve";
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
