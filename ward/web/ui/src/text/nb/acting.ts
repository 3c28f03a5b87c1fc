/** Taking, shelving, and who was told. */

import type { Assessment } from "../../lib/types";

export const acting = {
  act: {
    acknowledge: "Kvitter",
    acknowledgeTitle: "Hva er det?",
    shelve: "Utsett",
    shelveTitle: "Utsett alarmen i…",
    shelveHint: "Den kommer tilbake av seg selv når tiden er ute. Andre alarmer fra sengen meldes fortsatt.",
    unshelve: "Opphev utsettelse",
    minutes: (n: number) => `${n} min`,
    assessments: [
      ["actionable", "Krever tiltak", "Den er reell, og noe må gjøres."],
      ["not-actionable", "Krever ikke tiltak", "Den er reell, og ingenting må gjøres nå."],
      ["artefact", "Artefakt", "Det er målingen som er feil, ikke pasienten."],
    ] as [Assessment, string, string][],
    also: "Kvitter også",
    note: "Notat (valgfritt)",
    reason: "Årsak (valgfritt)",
    cancel: "Avbryt",
    close: "Lukk",
    retry: "Prøv igjen",
    sending: "Sender…",
    failed: "IKKE SENDT",
    gone: "Alarmen er over.",
  },
  told: {
    title: "Hvem fikk beskjed",
    nobody: "Ingen ennå.",
    rides: "Ingen er forstyrret på nytt: den hører til et forløp som det allerede er gitt beskjed om til",
    notDelivered: "IKKE LEVERT",
    who: (name: string, channel: string) => `${name}, ${channel}`,
    sent: (who: string, time: string | null, delay: string) => `${who}: fikk beskjed${time ? ` ${time}` : ""}${delay}`,
    resolved: (who: string, time: string | null, delay: string) => `${who}: fikk beskjed${time ? ` ${time}` : ""} om at den er over${delay}`,
    failed: (who: string, why: string) => `${who}: IKKE LEVERT, ${why}`,
    waiting: (who: string) => `${who}: på vei…`,
    dropped: (who: string) => `${who}: ikke lenger nødvendig`,
    test: "Testalarm.",
    testHint: "Ingenting er galt. Bekreft at den kom fram hit.",
    seen: "Jeg har sett den",
  },
};
