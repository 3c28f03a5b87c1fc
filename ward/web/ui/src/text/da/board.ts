/** The board. */

export const board = {
  card: {
    bed: "Seng",
    since: (time: string, age: string) => `siden ${time} (${age})`,
    nobody: "Ingen har den",
    has: (who: string) => `${who} har den`,
    shelvedBy: (who: string, time: string) => `udsat af ${who} til ${time}`,
    clearedAt: (time: string) => `ophørt ${time}, ingen kvitterede`,
    more: (n: number) => `+${n} flere`,
    pending: (left: string) => (left === "nu" ? "meldes nu" : `meldes om ${left}`),
    suppressedBy: "holdt tilbage af en alvorligere alarm",
    away: (time: string) => `Væk til ${time}`,
    ago: (age: string) => age,
    late: "meldt sent",
    news: "NEWS2",
    missing: (parts: string) => `mangler ${parts}`,
    nothingKnown: "intet målt",
    stale: (parts: string, age: string) => `forældet ${parts} ${age}`,
    questionable: "tvivlsom",
    open: (bed: string) => `Åbn seng ${bed}`,
  },
};
