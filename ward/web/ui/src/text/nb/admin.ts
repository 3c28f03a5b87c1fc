/** Devices and what was refused. */

export const admin = {
  devices: {
    title: "Utstyr",
    unassigned: "Ikke tilknyttet",
    unassignedHint: "Målinger fra dette utstyret lagres, men hører ikke til noen pasient.",
    noUnassigned: "Alt utstyr er tilknyttet.",
    assigned: "Tilknyttet",
    none: "Det er ikke hørt fra noe utstyr.",
    letters: "Avviste meldinger",
    lettersHint: "Det utstyret sendte, og systemet ikke kunne ta imot, nyeste først.",
    noLetters: "Ingenting er avvist.",
    device: "Utstyr",
    ward: "Post",
    bed: "Seng",
    state: "Tilstand",
    seen: "Sist hørt",
    clock: "Klokkeavvik",
    time: "Tid",
    topic: "Emne",
    reason: "Årsak",
  },
};
