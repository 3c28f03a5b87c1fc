/** Whether the screen sounds. */

export const sound = {
  sound: {
    title: "Lyd på denne skjermen",
    states: {
      on: "Lyd på",
      off: "Lyden er AV",
      blocked: "Lyd blokkert: trykk",
      paused: "Lyd på pause",
      elsewhere: "Lyder et annet sted",
    } as Readonly<Record<string, string>>,
    paused: (left: string) => `Lyd på pause, ${left} igjen`,
    explained: {
      on: "Alarmer som ingen har kvittert, lyder her, hver prioritet på sin måte.",
      off: "Ingenting lyder her før noen slår lyden på.",
      blocked: "Nettleseren spiller ingenting før noen berører siden.",
      paused: "Ingenting lyder her en stund. En ny høy alarm avbryter pausen.",
      elsewhere: "En annen skjerm på posten lyder for alle. Blir den stille, begynner denne i løpet av sekunder.",
    } as Readonly<Record<string, string>>,
    pause: (minutes: number) => `Pause i ${minutes} min`,
    goOn: "Avslutt pausen",
    here: "Lyd her i stedet",
    listen: "Lytt",
    on: "Slå lyden på",
    off: "Slå lyden av",
    flashes: "Det som blinker, fortsetter å blinke.",
  },
  mine: {
    only: "Mine pasienter",
    none: "Ingen av disse pasientene er dine.",
  },
};
