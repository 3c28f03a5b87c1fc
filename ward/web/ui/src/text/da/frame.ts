/** What stands around every screen. */

export const frame = {
  header: {
    allWards: "Alle afsnit",
    ward: "Afsnit",
    needSomebody: (n: number) => (n === 1 ? "seng kræver tilsyn" : "senge kræver tilsyn"),
    nobody: "Ingen har brug for dig nu",
    beds: (n: number) => `${n} ${n === 1 ? "seng" : "senge"}`,
    live: "Live",
    connecting: "Opretter forbindelse…",
    reconnecting: "Forbindelsen er afbrudt, prøver igen…",
    lastMessage: (age: string) => (age === "nu" ? "målinger nu" : `sidste måling for ${age} siden`),
    noMessage: "ingen målinger endnu",
    speed: (n: number) => `demo ${n}×`,
    day: "Dag",
    night: "Nat",
    theme: "Skift mellem nat- og dagfarver",
    board: "Tavle",
    menu: "Menu",
    logout: "Log ud",
    readOnly: "Kun visning",
    logInToAct: "Kun visning – log ind for at handle",
    notReady: "Systemet har en fejl",
    service: "Systemet",
    language: "Sprog",
  },
  /** The pages, as `src/pages.ts` names them. */
  menu: {
    devices: "Udstyr",
  } as Readonly<Record<string, string>>,
  title: (n: number) => (n ? `(${n}) kræver tilsyn – Ward` : "Ward"),
  notLive: {
    title: "IKKE LIVE",
    text: "Det, du ser, er gammelt. Se til dine patienter, og se på monitorerne ved sengene.",
    last: (time: string) => `Sidst live ${time}`,
    never: "Ikke live, siden denne side blev åbnet.",
    since: (age: string) => `for ${age} siden`,
    retry: "Prøv igen nu",
    trying: "Forsøger at få forbindelse…",
  },
  none: "Ingen patienter på dette afsnit.",
  loading: "Venter på de første data…",
};
