/** The board. */

export const board = {
  card: {
    bed: "Bed",
    since: (time: string, age: string) => `since ${time} (${age})`,
    nobody: "Nobody has it",
    has: (who: string) => `${who} has it`,
    shelvedBy: (who: string, time: string) => `shelved by ${who} until ${time}`,
    clearedAt: (time: string) => `over at ${time}, nobody took it`,
    more: (n: number) => `+${n} more`,
    pending: (left: string) => (left === "due" ? "tells now" : `tells in ${left}`),
    suppressedBy: "held back by a worse alert",
    away: (time: string) => `Away until ${time}`,
    ago: (age: string) => age,
    late: "told late",
    news: "NEWS2",
    missing: (parts: string) => `no ${parts}`,
    nothingKnown: "nothing measured",
    stale: (parts: string, age: string) => `stale ${parts} ${age}`,
    questionable: "questionable",
    open: (bed: string) => `Open bed ${bed}`,
  },
};
