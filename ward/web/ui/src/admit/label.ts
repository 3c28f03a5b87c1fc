/** What somebody typed, or a scanner read from a device's label: its name, perhaps with its ward. Pure. */

export interface Label {
  device: string;
  /** Null: the label does not say. */
  ward: string | null;
}

const TOPIC = /^ward\/v1\/([^/]+)\/([^/]+)(?:\/(?:vitals|status))?$/;
const WITH_WARD = /^([^/]+)\/([^/]+)$/;

/** `mon-12`, `6A/mon-12`, or its topic `ward/v1/6A/mon-12/vitals`. Null where nothing can be a device's name. */
export function readLabel(text: string): Label | null {
  // Scanners end with Enter or a tab, some begin with a control character.
  const said = [...text].filter((sign) => sign >= " " && sign !== "\u007f").join("").trim();
  const [, ward = null, device = said] = TOPIC.exec(said) ?? WITH_WARD.exec(said) ?? [];
  return device && !/[/+#]/.test(device) && !device.startsWith("$") ? { device, ward } : null;
}
