import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { openLanguage } from "./text";

// Flashing lights of one screen flash together: every flashing animation counts from the same zero.
document.addEventListener("animationstart", ({ target }) => {
  if (!(target instanceof Element)) return;
  for (const animation of target.getAnimations({ subtree: true })) {
    if (animation instanceof CSSAnimation && animation.animationName.includes("flash")) animation.startTime = 0;
  }
});

/** The words did not come: a screen on the wall has nobody to load it anew. */
const AGAIN_MS = 3_000;

const target = document.getElementById("app");
if (target) {
  openLanguage().then(
    () => mount(App, { target }),
    () => setTimeout(() => location.reload(), AGAIN_MS),
  );
}
