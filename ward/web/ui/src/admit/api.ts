/** The calls about who lies where, measured with what. */

import { all, call, part } from "../lib/api";
import type { AlertEvent, Page, Stay } from "../lib/types";

export interface WardPlace {
  ward: string;
  beds: { bed: string; stay: string | null }[];
  stays: number;
  devices: number;
  unassigned: number;
  plan: "ward" | "default";
  plan_version: number;
}

export interface DeviceNow {
  ward: string;
  device: string;
  known: boolean;
  stay: string | null;
  bed: string | null;
  online: boolean | null;
  last_seen_at: string | null;
  last_bed: string | null;
  last_until: string | null;
  elsewhere: string[];
  signals: Record<string, { value: number | string | boolean | null; unit: string; time: string }>;
}

export interface StayEvent extends Omit<AlertEvent, "before" | "after"> {
  seq: number;
  detail: Record<string, unknown> | null;
}

const at = (stay: string): string => `stays/${part(stay)}`;

export const places = {
  wards: () => all<WardPlace>("wards"),
  free: (ward: string, bed: string) => call<Page<DeviceNow>>("GET", `wards/${part(ward)}/devices?bed=${part(bed)}`),
  look: (ward: string, device: string) => call<DeviceNow>("GET", `wards/${part(ward)}/devices/${part(device)}`),
  stay: (id: string) => call<Stay>("GET", at(id)),
  ended: () => call<Page<Stay>>("GET", "stays?state=all&limit=100"),
  log: (id: string) => call<Page<StayEvent>>("GET", `${at(id)}/events?of=stay&limit=20`),
  admit: (patient_ref: string, ward: string, bed: string, key: string) =>
    call<Stay>("POST", "stays", { patient_ref, ward, bed }, key),
  attach: (id: string, device: string, from_stay: string | null, key: string) =>
    call<Stay>("POST", `${at(id)}/devices`, { device, from_stay }, key),
  detach: (id: string, device: string, key: string) =>
    call<Stay>("DELETE", `${at(id)}/devices?device=${part(device)}`, undefined, key),
  transfer: (id: string, ward: string, bed: string, pause_minutes: number | null, key: string) =>
    call<Stay>("POST", `${at(id)}/transfer`, { ward, bed, pause_minutes }, key),
  discharge: (id: string, key: string) => call<Stay>("POST", `${at(id)}/discharge`, undefined, key),
  undo: (id: string, key: string) => call<Stay>("POST", `${at(id)}/discharge/undo`, undefined, key),
};
