/** Every page but the board: which component shows it, what one must be allowed, and its place in the menu. */

import type { Component } from "svelte";
import AdmitPage from "./admit/AdmitPage.svelte";
import AuditPage from "./admin/AuditPage.svelte";
import DevicesPage from "./admin/DevicesPage.svelte";
import HealthPage from "./admin/HealthPage.svelte";
import PlanPage from "./admin/PlanPage.svelte";
import TokensPage from "./admin/TokensPage.svelte";
import UsersPage from "./admin/UsersPage.svelte";
import WardsPage from "./admin/WardsPage.svelte";
import HandoverPage from "./handover/HandoverPage.svelte";
import ShiftPage from "./shift/ShiftPage.svelte";
import PacksPage from "./packs/PacksPage.svelte";
import ReportsPage from "./reports/ReportsPage.svelte";
import StayPage from "./stay/StayPage.svelte";
import DraftsPage from "./workbench/DraftsPage.svelte";
import WorkbenchPage from "./workbench/WorkbenchPage.svelte";

export interface PageEntry {
  // Pages that are about nothing in particular take no properties.
  component: Component<{ id: string }> | Component<Record<string, never>>;
  /** The capability (as the session tells them) without which the page is not offered. */
  needs: string;
  /** Its name in the menu (`t.menu`); null: reached from elsewhere. */
  menu: string | null;
}

export const PAGES: Readonly<Record<string, PageEntry>> = {
  shift: { component: ShiftPage, needs: "read", menu: "shift" },
  handover: { component: HandoverPage, needs: "read", menu: "handover" },
  stay: { component: StayPage, needs: "read", menu: null },
  admit: { component: AdmitPage, needs: "admit", menu: "admit" },
  workbench: { component: WorkbenchPage, needs: "tune", menu: "workbench" },
  drafts: { component: DraftsPage, needs: "tune", menu: "drafts" },
  packs: { component: PacksPage, needs: "read:rules", menu: "packs" },
  reports: { component: ReportsPage, needs: "report", menu: "reports" },
  devices: { component: DevicesPage, needs: "read:devices", menu: "devices" },
  wards: { component: WardsPage, needs: "tune", menu: "wards" },
  plan: { component: PlanPage, needs: "read:alerts", menu: null },
  users: { component: UsersPage, needs: "administer", menu: "users" },
  tokens: { component: TokensPage, needs: "administer", menu: "tokens" },
  audit: { component: AuditPage, needs: "audit", menu: "audit" },
  health: { component: HealthPage, needs: "monitor", menu: "health" },
};
