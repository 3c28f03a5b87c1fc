/**
 * What a reason means for which the service is not ready, and what to do about it, by how the service words it in its
 * log and on `/readyz`. Pure.
 */

interface Known {
  about: RegExp;
  /** Of `t.health.says`, filled with the groups of `about`. */
  says: string;
  /** Of `t.health.help`. */
  help: string;
}

export const REASONS: readonly Known[] = [
  { about: /^not connected to the broker: it refuses the service/, says: "refused", help: "refused" },
  { about: /^not connected to the broker/, says: "broker", help: "broker" },
  { about: /^the disk is nearly full: (?<left>\d+) MB left of (?<wanted>\d+)/, says: "diskLow", help: "disk" },
  { about: /^(?<part>\w+): the disk is full/, says: "diskFull", help: "disk" },
  { about: /^(?<part>\w+): the database is locked/, says: "locked", help: "other" },
  { about: /^(?<part>\w+): the disk does not take it/, says: "diskBroken", help: "disk" },
  { about: /^(?<part>\w+): the database is read-only/, says: "readOnly", help: "other" },
  { about: /^(?<part>\w+): the database does not answer/, says: "noAnswer", help: "other" },
  { about: /^the machine's clock is not synchronised/, says: "clockFree", help: "clock" },
  { about: /^the machine's clock was set back by (?<seconds>\d+) s/, says: "clockBack", help: "clock" },
  { about: /^the machine's clock was set forward by (?<seconds>\d+) s/, says: "clockForward", help: "clock" },
  { about: /^overloaded: trends are late/, says: "overload", help: "overload" },
  { about: /^taking in what came while the service was away/, says: "backlog", help: "backlog" },
  { about: /^recovering, (?<share>\d+)%/, says: "recovering", help: "backlog" },
  { about: /^recovering/, says: "begins", help: "backlog" },
  { about: /^recovery: a part of the journal was passed over/, says: "passedOver", help: "other" },
  { about: /^snapshots: none can be read/, says: "snapshots", help: "other" },
  { about: /^the (?:core|engine) stands still for (?<seconds>\d+) s/, says: "still", help: "still" },
  { about: /^(?<part>\w+): no sign of life for (?<seconds>\d+) s/, says: "silent", help: "still" },
  { about: /^plan: that of ward (?<ward>.+) cannot be read/, says: "planUnread", help: "plan" },
  { about: /^plan: that of ward (?<ward>.+) cannot be followed/, says: "planUnfit", help: "plan" },
  { about: /^devices: the device-secret in the data folder is not the one that the keys of (?<number>\d+) devices/, says: "keys", help: "keys" },
  { about: /^(?<part>\w+): /, says: "part", help: "other" },
];

/** Null for what nobody has words for: then it stands as the service says it. */
export function reasonOf(reason: string): { says: string; help: string; params: Readonly<Record<string, string>> } | null {
  for (const { about, says, help } of REASONS) {
    const found = about.exec(reason);
    if (found) return { says, help, params: { ...found.groups } };
  }
  return null;
}
