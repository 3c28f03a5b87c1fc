import { describe, expect, it } from "vitest";
import { AS_MADE, CARDS, planBoard, taller, type Plan } from "../src/board/steps";

const WALL = { width: 1904, height: 1007, gap: 8, tall: AS_MADE };
const used = ({ need, calm }: Plan): number => need.rows * (need.height + 8) + calm.rows * (calm.height + 8) - 8;
const cells = (zone: Plan["need"]): number => zone.rows * zone.columns;

describe("the places of the cards", () => {
  it.each([12, 24, 48])("%i beds fit a wall whoever of them needs somebody, as far as that many may at once", (beds) => {
    for (let bodily = 0; bodily <= beds; bodily++) {
      for (const technical of [0, 2, beds - bodily].filter((n) => n <= beds - bodily)) {
        for (const acts of [true, false]) {
          const plan = planBoard(bodily, technical, beds - bodily - technical, WALL, acts);
          expect(plan.fits, `${bodily} and ${technical} of ${beds}`).toBe(true);
          expect(used(plan)).toBeLessThanOrEqual(WALL.height);
          expect(cells(plan.need)).toBeGreaterThanOrEqual(plan.first);
          expect(cells(plan.calm)).toBeGreaterThanOrEqual(beds - plan.first);
          expect([bodily, bodily + technical]).toContain(plan.first);
          for (const zone of [plan.need, plan.calm]) {
            const width = (WALL.width + 8) / zone.columns - 8;
            expect(CARDS[zone.layout].width * zone.scale).toBeLessThanOrEqual(width + 1e-9);
          }
          expect(plan.need.scale).toBeGreaterThanOrEqual(1);
          expect(plan.calm.scale).toBeGreaterThanOrEqual(1);
        }
      }
    }
  });

  it("keeps those in need larger than the others", () => {
    const wall = planBoard(3, 0, 45, WALL, false);
    expect(wall.need.layout).toBe("full");
    expect(wall.need.height).toBeGreaterThan(1.7 * wall.calm.height);
    const desk = planBoard(3, 0, 45, WALL, true);
    expect(desk.need.height).toBeGreaterThan(1.3 * desk.calm.height);
  });

  it("leaves technical ones to the others once room is scarce", () => {
    expect(planBoard(2, 1, 21, WALL, true).first).toBe(3);
    expect(planBoard(8, 6, 34, WALL, true).first).toBe(8);
  });

  it("scrolls on a phone, one card a row", () => {
    const plan = planBoard(2, 0, 22, { width: 374, height: 680, gap: 8, tall: AS_MADE }, true);
    expect(plan).toMatchObject({ fits: false, need: { columns: 1 }, calm: { columns: 1 } });
  });

  it("makes room for cards that were found to be higher, never less than was found", () => {
    const laptop = { width: 1334, height: 700, gap: 8, tall: AS_MADE };
    const plan = planBoard(5, 0, 19, laptop, false);
    const found = 1.2 * plan.need.height;
    const tall = taller(AS_MADE, plan.need, found, false);
    expect(taller(tall, plan.need, found - 10, false)).toBe(tall);
    const again = planBoard(5, 0, 19, { ...laptop, tall }, false);
    expect(again.need.height).toBeGreaterThanOrEqual(CARDS[again.need.layout].height * tall[again.need.layout] * again.need.scale - 1);
    expect(again.fits ? used(again) <= laptop.height : again.over > 0).toBe(true);
  });

  it("scrolls for a row of calm beds rather than for one in need", () => {
    const plan = planBoard(5, 0, 19, { width: 1334, height: 650, gap: 8, tall: AS_MADE }, true);
    expect(plan).toMatchObject({ fits: false, need: { layout: "short", rows: 1 } });
  });
});
