/** Devices and what was refused. */

export const admin = {
  devices: {
    title: "Udstyr",
    unassigned: "Ikke tilknyttet",
    unassignedHint: "Målinger fra dette udstyr gemmes, men hører ikke til nogen patient.",
    noUnassigned: "Alt udstyr er tilknyttet.",
    assigned: "Tilknyttet",
    none: "Der er ikke hørt fra noget udstyr.",
    letters: "Afviste beskeder",
    lettersHint: "Hvad udstyr sendte, og systemet ikke kunne tage imod, nyeste først.",
    noLetters: "Intet er afvist.",
    device: "Udstyr",
    ward: "Afsnit",
    bed: "Seng",
    state: "Tilstand",
    seen: "Sidst hørt",
    clock: "Urets afvigelse",
    time: "Tid",
    topic: "Emne",
    reason: "Årsag",
  },
};
