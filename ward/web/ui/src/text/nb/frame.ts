/** What stands around every screen. */

export const frame = {
  header: {
    allWards: "Alle poster",
    ward: "Post",
    needSomebody: (n: number) => (n === 1 ? "seng krever tilsyn" : "senger krever tilsyn"),
    nobody: "Ingen trenger deg nå",
    beds: (n: number) => `${n} ${n === 1 ? "seng" : "senger"}`,
    live: "Live",
    connecting: "Kobler til…",
    reconnecting: "Forbindelsen er brutt, prøver igjen…",
    lastMessage: (age: string) => (age === "nå" ? "målinger nå" : `siste måling for ${age} siden`),
    noMessage: "ingen målinger ennå",
    speed: (n: number) => `demo ${n}×`,
    day: "Dag",
    night: "Natt",
    theme: "Bytt mellom natt- og dagfarger",
    board: "Tavle",
    menu: "Meny",
    logout: "Logg ut",
    readOnly: "Bare visning",
    logInToAct: "Bare visning – logg inn for å handle",
    notReady: "Systemet har en feil",
    service: "Systemet",
    language: "Språk",
  },
  /** The pages, as `src/pages.ts` names them. */
  menu: {
    devices: "Utstyr",
  } as Readonly<Record<string, string>>,
  title: (n: number) => (n ? `(${n}) krever tilsyn – Ward` : "Ward"),
  notLive: {
    title: "IKKE LIVE",
    text: "Det du ser, er gammelt. Se til pasientene dine, og se på monitorene ved sengene.",
    last: (time: string) => `Sist live ${time}`,
    never: "Ikke live siden denne siden ble åpnet.",
    since: (age: string) => `for ${age} siden`,
    retry: "Prøv igjen nå",
    trying: "Prøver å få forbindelse…",
  },
  none: "Ingen pasienter på denne posten.",
  loading: "Venter på de første dataene…",
};
