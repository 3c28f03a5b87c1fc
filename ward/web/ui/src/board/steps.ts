/** How large the cards are: a table, of which the first step that fits the screen is taken. Pure. */

export type Layout = "full" | "short" | "calm";

/** Width and least height (px) of a card at scale 1, as its styles are made for; `fixed` does not grow with the letters. */
export const CARDS: Readonly<Record<Layout, { width: number; height: number; fixed: number }>> = {
  /** Somebody is needed: the sentence, the values with their lines, what else there is, and what one may do. */
  full: { width: 300, height: 226, fixed: 52 },
  /** Somebody is needed, and so are many others: the sentence and the values; a tap opens the patient. */
  short: { width: 230, height: 138, fixed: 0 },
  /** Nobody is needed, or somebody has it. */
  calm: { width: 230, height: 122, fixed: 0 },
};

export interface Step {
  /** How a card in need is laid out, and how much larger than at scale 1 it is at least. */
  need: "full" | "short";
  scale: number;
  /** The same of the other cards. */
  calm: number;
}

/** From what one likes best to what one must put up with: those in need stay large the longest. */
export const STEPS: readonly Step[] = [
  { need: "full", scale: 1.6, calm: 1.6 },
  { need: "full", scale: 1.6, calm: 1.35 },
  { need: "full", scale: 1.45, calm: 1.2 },
  { need: "full", scale: 1.45, calm: 1.05 },
  { need: "full", scale: 1.2, calm: 1.2 },
  { need: "full", scale: 1.2, calm: 1 },
  { need: "full", scale: 1, calm: 1 },
  { need: "short", scale: 1.3, calm: 1.2 },
  { need: "short", scale: 1.3, calm: 1 },
  { need: "short", scale: 1.1, calm: 1 },
  { need: "short", scale: 1, calm: 1 },
];
/** Where nothing fits, the page scrolls, at a size that is read with ease. */
const SCROLLED: Step = { need: "full", scale: 1, calm: 1 };
/** Larger than this no letter need be. */
const MOST = 1.9;
/** So much higher than its letters need a card may be: the lines fill it. */
const ROOM = 1.35;

export interface Zone {
  layout: Layout;
  columns: number;
  rows: number;
  /** Of a card, px. */
  height: number;
  /** Of its letters, against scale 1. */
  scale: number;
}

export interface Plan {
  /** How many cards are in the upper zone. */
  first: number;
  need: Zone;
  calm: Zone;
  /** Nothing is to be scrolled. */
  fits: boolean;
  /** So many px are below the screen. */
  over: number;
}

export interface Space {
  width: number;
  height: number;
  gap: number;
  /** How much higher than `CARDS` says the highest card was found to be, with the words that are on it now. */
  tall: Tall;
}

export type Tall = Readonly<Record<Layout, number>>;
export const AS_MADE: Tall = { full: 1, short: 1, calm: 1 };

/** So many of the steps have cards in need that are read from the door, with buttons. */
const ROOMY = STEPS.findIndex(({ need, scale }) => need === "short" || scale < 1.2);

/**
 * Where the cards go. `bodily` beds need somebody for the patient, `technical` ones for the measurement: those stand
 * among the first as long as there is room for all to be large, else they lead the `calm` ones. `acts`: there are
 * buttons on the cards.
 */
export function planBoard(bodily: number, technical: number, calm: number, space: Space, acts: boolean): Plan {
  for (const step of technical ? STEPS.slice(0, ROOMY) : []) {
    const plan = laidOut(step, bodily + technical, calm, space, acts);
    if (plan.fits) return plan;
  }
  let least: Plan | null = null;
  for (const step of STEPS) {
    least = laidOut(step, bodily, technical + calm, space, acts);
    if (least.fits) return least;
  }
  // To scroll for the last row of those whom nobody need see is better than for somebody in need.
  if (least && least.calm.rows > 1 && least.over < least.calm.height) return least;
  return laidOut(SCROLLED, bodily, technical + calm, space, acts);
}

/** What is known of the heights of cards after a look at them: `found` px is the highest of a zone's. Never less than before. */
export function taller(tall: Tall, { layout, scale }: Zone, found: number, acts: boolean): Tall {
  const { height, fixed } = CARDS[layout];
  const needed = (found - (acts ? fixed : 0)) / (height * scale);
  return needed > tall[layout] ? { ...tall, [layout]: needed } : tall;
}

function laidOut(step: Step, need: number, calm: number, space: Space, acts: boolean): Plan {
  const above = zone(step.need, step.scale, need, space, acts);
  const below = zone("calm", step.calm, calm, space, acts);
  const used = (zone: Zone): number => zone.rows * (zone.height + space.gap);
  const spare = space.height + space.gap - used(above) - used(below);
  // What is left over makes every card higher by the same share.
  const stretch = spare > 0 && used(above) + used(below) > 0 ? 1 + spare / (used(above) + used(below)) : 1;
  const [upper, lower] = [grown(above, stretch, space, acts), grown(below, stretch, space, acts)];
  return { first: need, need: upper, calm: lower, fits: spare >= 0, over: Math.max(0, -spare) };
}

/** Of a card at a scale; without buttons where nobody may act. */
function heightOf(layout: Layout, scale: number, { tall }: Space, acts: boolean): number {
  return CARDS[layout].height * tall[layout] * scale + (acts ? CARDS[layout].fixed : 0);
}

function columnsOf(width: number, space: Space): number {
  return Math.max(1, Math.floor((space.width + space.gap) / (Math.min(width, space.width) + space.gap)));
}

function zone(layout: Layout, scale: number, cards: number, space: Space, acts: boolean): Zone {
  const most = columnsOf(CARDS[layout].width * scale, space);
  const rows = Math.ceil(cards / most);
  // Rows of the same length leave no hole, and wider cards.
  const columns = rows ? Math.ceil(cards / rows) : most;
  return { layout, columns: rows > 1 ? columns : most, rows, height: heightOf(layout, scale, space, acts), scale };
}

/** As large as the place that the card has allows. */
function grown(zone: Zone, stretch: number, space: Space, acts: boolean): Zone {
  const card = CARDS[zone.layout];
  const most = heightOf(zone.layout, MOST * ROOM, space, acts);
  const height = Math.floor(Math.min((zone.height + space.gap) * stretch - space.gap, most));
  const width = (space.width + space.gap) / zone.columns - space.gap;
  const byHeight = (height - (acts ? card.fixed : 0)) / (card.height * space.tall[zone.layout]);
  return { ...zone, height, scale: Math.min(MOST, width / card.width, byHeight) };
}
