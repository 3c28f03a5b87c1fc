/** Taking, shelving, and who was told. */

import type { Assessment } from "../../lib/types";

export const acting = {
  act: {
    acknowledge: "Take it",
    acknowledgeTitle: "What is it?",
    shelve: "Shelve",
    shelveTitle: "Mute this alert for…",
    shelveHint: "It comes back by itself when the time is over. Other alerts of this bed are still told.",
    unshelve: "End shelving",
    minutes: (n: number) => `${n} min`,
    assessments: [
      ["actionable", "Actionable", "It is real and something is to be done."],
      ["not-actionable", "Not actionable", "It is real, and nothing is to be done now."],
      ["artefact", "Artefact", "The measurement is wrong, not the patient."],
    ] as [Assessment, string, string][],
    also: "Also take",
    note: "Note (optional)",
    reason: "Reason (optional)",
    cancel: "Cancel",
    close: "Close",
    retry: "Try again",
    sending: "Sending…",
    failed: "NOT SENT",
    gone: "This alert is over.",
  },
  told: {
    title: "Who was told",
    nobody: "Nobody yet.",
    rides: "Nobody was interrupted anew: it belongs to an episode that was told already, to",
    notDelivered: "NOT DELIVERED",
    who: (name: string, channel: string) => `${name}, ${channel}`,
    sent: (who: string, time: string | null, delay: string) => `${who}: told${time ? ` at ${time}` : ""}${delay}`,
    resolved: (who: string, time: string | null, delay: string) => `${who}: told${time ? ` at ${time}` : ""} that it is over${delay}`,
    failed: (who: string, why: string) => `${who}: NOT DELIVERED, ${why}`,
    waiting: (who: string) => `${who}: on its way…`,
    dropped: (who: string) => `${who}: not needed any more`,
    test: "Test alert.",
    testHint: "Nothing is wrong. Please confirm that it arrived here.",
    seen: "I saw it",
  },
};
