/** Whether the screen sounds. */

export const sound = {
  sound: {
    title: "Lyd på denne skærm",
    states: {
      on: "Lyd til",
      off: "Lyden er SLÅET FRA",
      blocked: "Lyd blokeret: tryk",
      paused: "Lyd på pause",
      elsewhere: "Lyder et andet sted",
    } as Readonly<Record<string, string>>,
    paused: (left: string) => `Lyd på pause, ${left} tilbage`,
    explained: {
      on: "Alarmer, som ingen har kvitteret, lyder her, hver prioritet på sin måde.",
      off: "Intet lyder her, før nogen slår lyden til.",
      blocked: "Browseren afspiller intet, før nogen rører siden.",
      paused: "Intet lyder her et stykke tid. En ny høj alarm afbryder pausen.",
      elsewhere: "En anden skærm på afsnittet lyder for alle. Bliver den tavs, begynder denne inden for få sekunder.",
    } as Readonly<Record<string, string>>,
    pause: (minutes: number) => `Pause i ${minutes} min`,
    goOn: "Afslut pausen",
    here: "Lyd her i stedet",
    listen: "Lyt",
    on: "Slå lyden til",
    off: "Slå lyden fra",
    flashes: "Det, der blinker, bliver ved med at blinke.",
  },
  mine: {
    only: "Mine patienter",
    none: "Ingen af disse patienter er dine.",
  },
};
