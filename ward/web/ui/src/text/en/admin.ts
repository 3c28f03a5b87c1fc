/** Devices and what was refused. */

export const admin = {
  devices: {
    title: "Devices",
    unassigned: "Unassigned",
    unassignedHint: "Readings of these devices are kept but belong to no patient.",
    noUnassigned: "No unassigned devices.",
    assigned: "Assigned",
    none: "No devices have been heard.",
    letters: "Refused messages",
    lettersHint: "What devices sent and the service could not accept, newest first.",
    noLetters: "Nothing was refused.",
    device: "Device",
    ward: "Ward",
    bed: "Bed",
    state: "State",
    seen: "Last seen",
    clock: "Clock offset",
    time: "Time",
    topic: "Topic",
    reason: "Reason",
  },
};
