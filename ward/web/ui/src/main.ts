import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";

// Flashing lights of one screen flash together: every flashing animation counts from the same zero.
document.addEventListener("animationstart", ({ target }) => {
  if (!(target instanceof Element)) return;
  for (const animation of target.getAnimations({ subtree: true })) {
    if (animation instanceof CSSAnimation && animation.animationName.includes("flash")) animation.startTime = 0;
  }
});

const target = document.getElementById("app");
if (target) mount(App, { target });
