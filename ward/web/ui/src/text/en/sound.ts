/** Whether the screen sounds. */

export const sound = {
  sound: {
    title: "Sound of this screen",
    states: {
      on: "Sound on",
      off: "Sound is OFF",
      blocked: "Sound blocked: tap",
      paused: "Sound paused",
      elsewhere: "Sounds elsewhere",
    } as Readonly<Record<string, string>>,
    paused: (left: string) => `Sound paused, ${left} left`,
    explained: {
      on: "Alerts that nobody has taken sound here, each priority in its own way.",
      off: "Nothing sounds here, until somebody turns it on.",
      blocked: "The browser plays nothing until somebody touches this page.",
      paused: "Nothing sounds here for a while. A new high alert ends that.",
      elsewhere: "Another screen of the ward sounds for all. If it falls silent, this one begins within seconds.",
    } as Readonly<Record<string, string>>,
    pause: (minutes: number) => `Pause for ${minutes} min`,
    goOn: "End the pause",
    here: "Sound here instead",
    listen: "Listen",
    on: "Turn the sound on",
    off: "Turn the sound off",
    flashes: "What flashes goes on flashing.",
  },
  mine: {
    only: "My patients",
    none: "None of these patients is yours.",
  },
};
