/** What stands around every screen. */

export const frame = {
  header: {
    allWards: "All wards",
    ward: "Ward",
    needSomebody: (n: number) => (n === 1 ? "bed needs somebody" : "beds need somebody"),
    nobody: "Nobody needs you now",
    beds: (n: number) => `${n} ${n === 1 ? "bed" : "beds"}`,
    live: "Live",
    connecting: "Connecting…",
    reconnecting: "Connection lost, trying again…",
    lastMessage: (age: string) => (age === "now" ? "readings now" : `last reading ${age} ago`),
    noMessage: "no readings yet",
    speed: (n: number) => `demo ${n}×`,
    day: "Day",
    night: "Night",
    theme: "Switch between the night and the day colours",
    board: "Board",
    menu: "Menu",
    logout: "Log out",
    readOnly: "Read only",
    logInToAct: "Read only – log in to act",
    notReady: "The service has a fault",
    service: "Service",
    language: "Language",
  },
  /** The pages, as `src/pages.ts` names them. */
  menu: {
    devices: "Devices",
  } as Readonly<Record<string, string>>,
  title: (n: number) => (n ? `(${n}) need somebody – Ward` : "Ward"),
  notLive: {
    title: "NOT LIVE",
    text: "What you see is old. Look at your patients and at the bedside monitors.",
    last: (time: string) => `Last live at ${time}`,
    never: "Not live since this page was opened.",
    since: (age: string) => `${age} ago`,
    retry: "Try again now",
    trying: "Trying to connect…",
  },
  none: "No patients on this ward.",
  loading: "Waiting for the first data…",
};
