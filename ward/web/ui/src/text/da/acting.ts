/** Taking, shelving, and who was told. */

import type { Assessment } from "../../lib/types";

export const acting = {
  act: {
    acknowledge: "Kvittér",
    acknowledgeTitle: "Hvad er det?",
    shelve: "Udsæt",
    shelveTitle: "Udsæt alarmen i…",
    shelveHint: "Den kommer igen af sig selv, når tiden er gået. Andre alarmer fra sengen meldes stadig.",
    unshelve: "Ophæv udsættelse",
    minutes: (n: number) => `${n} min`,
    assessments: [
      ["actionable", "Kræver handling", "Den er reel, og der skal gøres noget."],
      ["not-actionable", "Kræver ikke handling", "Den er reel, og der skal ikke gøres noget nu."],
      ["artefact", "Artefakt", "Det er målingen, der er noget galt med, ikke patienten."],
    ] as [Assessment, string, string][],
    also: "Kvittér også",
    note: "Notat (valgfrit)",
    reason: "Årsag (valgfrit)",
    cancel: "Annullér",
    close: "Luk",
    retry: "Prøv igen",
    sending: "Sender…",
    failed: "IKKE SENDT",
    gone: "Alarmen er ophørt.",
  },
  told: {
    title: "Hvem fik besked",
    nobody: "Ingen endnu.",
    rides: "Ingen er forstyrret på ny: den hører til et forløb, som der allerede er givet besked om til",
    notDelivered: "IKKE LEVERET",
    who: (name: string, channel: string) => `${name}, ${channel}`,
    sent: (who: string, time: string | null, delay: string) => `${who}: fik besked${time ? ` ${time}` : ""}${delay}`,
    resolved: (who: string, time: string | null, delay: string) => `${who}: fik besked${time ? ` ${time}` : ""} om, at den er ophørt${delay}`,
    failed: (who: string, why: string) => `${who}: IKKE LEVERET, ${why}`,
    waiting: (who: string) => `${who}: på vej…`,
    dropped: (who: string) => `${who}: ikke længere nødvendigt`,
    test: "Testalarm.",
    testHint: "Der er intet galt. Bekræft, at den nåede frem hertil.",
    seen: "Jeg har set den",
  },
};
