/** What was done to a stay, as a line. Pure. */

import { t } from "../text";
import type { StayEvent } from "./api";

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = (value: unknown): string => (Array.isArray(value) ? value.map(text).filter(Boolean).join(", ") : "");

/** Of what this page does not know, nothing: a newer service may tell more. */
export function eventWords(event: StayEvent): string {
  const detail = event.detail ?? {};
  const by = event.by ?? t.place.nobody;
  const [device, ward] = [text(detail["device"]), text(detail["ward"])];
  const bed = (name: string, place: unknown): string => (place && place !== ward ? `${text(place)} ${name}` : name);
  switch (event.kind) {
    case "admitted":
      return t.place.admitted(by);
    case "attached":
      return detail["from_bed"] ? t.place.attachedFrom(device, text(detail["from_bed"]), by) : t.place.attached(device, by);
    case "detached":
      return detail["to_bed"] ? t.place.detachedTo(device, text(detail["to_bed"]), by) : t.place.detached(device, by);
    case "moved": {
      const from = text(detail["from_ward"]);
      const to = text(detail["bed"]);
      return t.place.moved(bed(text(detail["from_bed"]), from), from === ward ? to : `${ward} ${to}`, by);
    }
    case "discharged":
      return t.place.discharged(by);
    case "discharge-undone":
      return t.place.undone(by);
    case "flags":
      return t.place.flags(list(detail["after"]) || t.place.noFlags, by);
    case "paused":
      return t.place.paused(by);
    case "pause-ended":
      return t.place.back;
    default:
      return "";
  }
}
