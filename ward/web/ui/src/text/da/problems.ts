/** What the service refuses, by its code (`code` of a problem); `{…}` are its parameters. */

export const problems = {
  problems: {
    "alert-closed": "Alarmen er ophørt.",
    "alert-state": "Det kan ikke lade sig gøre i alarmens nuværende tilstand.",
    "bed-taken": "Seng {bed} på afsnit {ward} er optaget.",
    "device-taken": "Apparatet {device} på afsnit {ward} er tilknyttet en anden patient.",
    "stay-over": "Indlæggelsen er slut.",
    "rule-disabled": "Reglen er slået fra for denne patient ({flag}).",
    "user-exists": "Der findes allerede en bruger {login}.",
    "last-admin": "Det er den sidste administrator for alle afsnit. Opret en anden først.",
    "password-short": "En adgangskode har mindst {least} tegn.",
    "password-long": "En adgangskode har højst {most} tegn.",
    "password-common": "Denne adgangskode er en af de første, der gættes. Vælg en anden.",
    "password-wrong": "Den nuværende adgangskode er forkert.",
    "password-elsewhere": "Din adgangskode hører til hospitalets login. Skift den dér.",
    "rule-changed": "Reglen er ændret, siden du læste den. Læs den igen.",
    "plan-changed": "Planen er ændret, siden du læste den. Læs den igen.",
    "other-ward": "Afsnit {ward} er ikke et af dine.",
    role: "Din rolle tillader det ikke.",
    future: "En observation kan ikke ligge i fremtiden.",
    busy: "Der er for travlt lige nu. Prøv igen om få sekunder.",
  } as Readonly<Record<string, string>>,
};
