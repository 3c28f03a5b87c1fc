/** What the service refuses, by its code (`code` of a problem); `{…}` are its parameters. */

export const problems = {
  problems: {
    "alert-closed": "Alarmen er over.",
    "alert-state": "Det lar seg ikke gjøre i alarmens nåværende tilstand.",
    "bed-taken": "Seng {bed} på post {ward} er opptatt.",
    "device-taken": "Apparatet {device} på post {ward} er tilknyttet en annen pasient.",
    "stay-over": "Oppholdet er slutt.",
    "rule-disabled": "Regelen er slått av for denne pasienten ({flag}).",
    "user-exists": "Det finnes allerede en bruker {login}.",
    "last-admin": "Dette er den siste administratoren for alle poster. Opprett en annen først.",
    "password-short": "Et passord har minst {least} tegn.",
    "password-long": "Et passord har høyst {most} tegn.",
    "password-common": "Dette passordet er et av de første som gjettes. Velg et annet.",
    "password-wrong": "Det nåværende passordet er feil.",
    "password-elsewhere": "Passordet ditt hører til sykehusets innlogging. Bytt det der.",
    "rule-changed": "Regelen er endret siden du leste den. Les den på nytt.",
    "plan-changed": "Planen er endret siden du leste den. Les den på nytt.",
    "other-ward": "Post {ward} er ikke en av dine.",
    role: "Rollen din tillater det ikke.",
    future: "En observasjon kan ikke ligge i framtiden.",
    busy: "Det er for travelt akkurat nå. Prøv igjen om noen sekunder.",
  } as Readonly<Record<string, string>>,
};
