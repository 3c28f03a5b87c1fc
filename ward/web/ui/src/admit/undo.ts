/** For so long the service takes a discharge back (ward/live/admissions.py). */
export const UNDO_MS = 10 * 60_000;
