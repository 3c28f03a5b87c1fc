/** Draws over a trend what lasted and what limits there are. */

import type uPlot from "uplot";
import type { Mark, Threshold } from "./trend-data";

export type Colour = (name: string) => string;

const STRIPES = 7;

function within(chart: uPlot, draw: (ctx: CanvasRenderingContext2D, bbox: uPlot.BBox) => void): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx, bbox);
  ctx.restore();
}

/** Slanted lines: seen without colour, and nothing an alarm uses. */
function stripes(ctx: CanvasRenderingContext2D, left: number, top: number, width: number, height: number, gap: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.beginPath();
  for (let x = left - height; x < left + width; x += gap) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

export function drawMarks(chart: uPlot, marks: readonly Mark[], colour: Colour): void {
  const ratio = devicePixelRatio;
  within(chart, (ctx, bbox) => {
    for (const mark of marks) {
      const left = Math.max(bbox.left, chart.valToPos(mark.from, "x", true));
      const width = Math.max(2 * ratio, Math.min(bbox.left + bbox.width, chart.valToPos(mark.to, "x", true)) - left);
      if (left > bbox.left + bbox.width || left + width < bbox.left) continue;
      const stroke = colour({ gained: "pending", lost: "technical", shelved: "ink-2", paused: "ink-3" }[mark.look as string] ?? mark.look);
      ctx.fillStyle = ctx.strokeStyle = stroke;
      ctx.lineWidth = ratio;
      if (mark.look === "paused") {
        ctx.globalAlpha = 0.35;
        stripes(ctx, left, bbox.top, width, bbox.height, 2 * STRIPES * ratio);
      } else if (mark.look === "shelved") {
        ctx.globalAlpha = 0.8;
        stripes(ctx, left, bbox.top + bbox.height - 6 * ratio, width, 6 * ratio, STRIPES * ratio);
      } else {
        ctx.globalAlpha = 0.14;
        ctx.fillRect(left, bbox.top, width, bbox.height);
      }
      ctx.globalAlpha = 1;
      if (mark.at === null) continue;
      const at = chart.valToPos(mark.at, "x", true);
      ctx.setLineDash(mark.look === "lost" ? [4 * ratio, 3 * ratio] : []);
      ctx.lineWidth = 2 * ratio;
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
    }
  });
}

export function drawThresholds(chart: uPlot, thresholds: readonly Threshold[], colour: Colour): void {
  const ratio = devicePixelRatio;
  const labels: { y: number; text: string; colour: string }[] = [];
  within(chart, (ctx, bbox) => {
    for (const line of thresholds) {
      const y = Math.round(chart.valToPos(line.value, "y", true)) + 0.5;
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.globalAlpha = line.part ? 0.35 : 0.8;
      const stroke = colour(`${line.priority}-ink`);
      ctx.strokeStyle = stroke;
      ctx.lineWidth = ratio;
      ctx.setLineDash(line.part ? [2 * ratio, 5 * ratio] : [6 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      if (!line.part) labels.push({ y, text: line.text, colour: stroke });
    }
  });
  write(chart.ctx, labels, chart.bbox.left + chart.bbox.width + 5 * ratio, ratio);
}

/** The limits' numbers in the right margin, pushed apart where their lines are too close. */
function write(ctx: CanvasRenderingContext2D, labels: { y: number; text: string; colour: string }[], x: number, scale: number): void {
  ctx.save();
  ctx.font = `${11 * scale}px Inter, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  let lowest = -Infinity;
  for (const label of labels.sort((a, b) => a.y - b.y)) {
    lowest = Math.max(label.y, lowest + 12 * scale);
    ctx.fillStyle = label.colour;
    ctx.fillText(label.text, x, lowest);
  }
  ctx.restore();
}
