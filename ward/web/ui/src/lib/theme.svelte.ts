/** Night (dark) or day colours, remembered on this screen. */

export type Theme = "dark" | "light";

function remembered(): Theme {
  try {
    return localStorage.getItem("ward.theme") === "light" ? "light" : "dark";
  } catch {
    return "dark";
  }
}

const first = remembered();
let theme = $state<Theme>(first);
document.documentElement.dataset["theme"] = first;

export function currentTheme(): Theme {
  return theme;
}

export function switchTheme(): void {
  theme = theme === "dark" ? "light" : "dark";
  document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem("ward.theme", theme);
  } catch {
    // A screen that may not store anything starts at night; that is the safe one.
  }
}
