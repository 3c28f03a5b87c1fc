/** Every page but the board: which component shows it, what one must be allowed, and its place in the menu. */

import type { Component } from "svelte";
import AdmitPage from "./admit/AdmitPage.svelte";
import DevicesPage from "./admin/DevicesPage.svelte";
import StayPage from "./stay/StayPage.svelte";

export interface PageEntry {
  // Pages that are about nothing in particular take no properties.
  component: Component<{ id: string }> | Component<Record<string, never>>;
  /** The capability (as the session tells them) without which the page is not offered. */
  needs: string;
  /** Its name in the menu (`t.menu`); null: reached from elsewhere. */
  menu: string | null;
}

export const PAGES: Readonly<Record<string, PageEntry>> = {
  stay: { component: StayPage, needs: "read", menu: null },
  admit: { component: AdmitPage, needs: "admit", menu: "admit" },
  devices: { component: DevicesPage, needs: "read:devices", menu: "devices" },
};
