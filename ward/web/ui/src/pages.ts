/**
 * Every page but the board: what shows it, what one must be allowed, and its place in the menu. A patient's page is
 * there from the start, as the board is; the others are fetched when somebody opens them, so that a screen on the wall
 * or a phone need not carry a workbench.
 */

import type { Component } from "svelte";
import StayPage from "./stay/StayPage.svelte";

export interface PageEntry {
  /** Pages that are about nothing in particular take no properties. */
  load: () => Promise<{ default: Component<{ id: string }> | Component<Record<string, never>> }>;
  /** The capability (as the session tells them) without which the page is not offered. */
  needs: string;
  /** Its name in the menu (`t.menu`); null: reached from elsewhere. */
  menu: string | null;
}

export const PAGES: Readonly<Record<string, PageEntry>> = {
  shift: { load: () => import("./shift/ShiftPage.svelte"), needs: "read", menu: "shift" },
  handover: { load: () => import("./handover/HandoverPage.svelte"), needs: "read", menu: "handover" },
  stay: { load: () => Promise.resolve({ default: StayPage }), needs: "read", menu: null },
  admit: { load: () => import("./admit/AdmitPage.svelte"), needs: "admit", menu: "admit" },
  workbench: { load: () => import("./workbench/WorkbenchPage.svelte"), needs: "tune", menu: "workbench" },
  drafts: { load: () => import("./workbench/DraftsPage.svelte"), needs: "tune", menu: "drafts" },
  packs: { load: () => import("./packs/PacksPage.svelte"), needs: "read:rules", menu: "packs" },
  reports: { load: () => import("./reports/ReportsPage.svelte"), needs: "report", menu: "reports" },
  devices: { load: () => import("./admin/DevicesPage.svelte"), needs: "read:devices", menu: "devices" },
  wards: { load: () => import("./admin/WardsPage.svelte"), needs: "tune", menu: "wards" },
  plan: { load: () => import("./admin/PlanPage.svelte"), needs: "read:alerts", menu: null },
  users: { load: () => import("./admin/UsersPage.svelte"), needs: "administer", menu: "users" },
  tokens: { load: () => import("./admin/TokensPage.svelte"), needs: "administer", menu: "tokens" },
  audit: { load: () => import("./admin/AuditPage.svelte"), needs: "audit", menu: "audit" },
  health: { load: () => import("./admin/HealthPage.svelte"), needs: "monitor", menu: "health" },
};
