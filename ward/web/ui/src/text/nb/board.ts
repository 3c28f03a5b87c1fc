/** The board. */

export const board = {
  card: {
    bed: "Seng",
    since: (time: string, age: string) => `siden ${time} (${age})`,
    nobody: "Ingen har den",
    has: (who: string) => `${who} har den`,
    shelvedBy: (who: string, time: string) => `utsatt av ${who} til ${time}`,
    clearedAt: (time: string) => `opphørt ${time}, ingen kvitterte`,
    more: (n: number) => `+${n} til`,
    pending: (left: string) => (left === "nå" ? "meldes nå" : `meldes om ${left}`),
    suppressedBy: "holdt tilbake av en mer alvorlig alarm",
    away: (time: string) => `Borte til ${time}`,
    ago: (age: string) => age,
    late: "meldt sent",
    news: "NEWS2",
    missing: (parts: string) => `mangler ${parts}`,
    nothingKnown: "ingenting målt",
    stale: (parts: string, age: string) => `utdatert ${parts} ${age}`,
    questionable: "usikker",
    open: (bed: string) => `Åpne seng ${bed}`,
  },
};
