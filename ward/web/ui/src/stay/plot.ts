/** One trend panel as a uPlot chart: thresholds as lines, alerts as shaded spans, artefacts muted. */

import uPlot from "uplot";
import { clock, plain } from "../lib/format";
import { nearest, rangeOf, timeTicks, type Panel, type Span, type Threshold, type Track } from "./trend-data";

export interface PlotInput {
  panel: Panel;
  tracks: Track[];
  thresholds: Threshold[];
  spans: Span[];
  start: number;
  end: number;
  width: number;
  height: number;
  showTimes: boolean;
  onCursor(time: number | null, values: (number | null)[]): void;
}

const DASHES: number[][] = [[], [6, 3], [2, 3]];

function colours(element: HTMLElement): (name: string) => string {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

/** One axis for all; artefacts beyond the range lie at its edge, so that they are still seen. */
function dataOf(tracks: Track[], [lowest, highest]: [number, number]): uPlot.AlignedData {
  const tables: uPlot.AlignedData[] = [];
  for (const { time, value, low, high, muted } of tracks) {
    // The band of a bin lies below its median.
    tables.push([time, ...(low && high ? [low, high] : []), value] as uPlot.AlignedData);
    tables.push([muted.time, muted.value.map((one) => Math.min(highest, Math.max(lowest, one)))]);
  }
  return uPlot.join(tables);
}

export function plot(element: HTMLElement, input: PlotInput): uPlot {
  const { panel, tracks, thresholds, spans } = input;
  const colour = colours(element);
  const ink = colour("ink");
  const font = "11px Inter, sans-serif";
  const ratio = devicePixelRatio;
  const range = rangeOf(panel, tracks);
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  const lines: number[] = [];
  tracks.forEach((track, i) => {
    const sparse = track.time.length < 60;
    if (track.low && track.high) {
      const hidden: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
      bands.push({ series: [series.length + 1, series.length], fill: colour("line-strong") });
      series.push({ ...hidden }, { ...hidden });
    }
    lines.push(series.length);
    series.push({
      stroke: i === 0 ? ink : colour("ink-2"),
      width: 1.5,
      dash: DASHES[i] ?? [],
      points: { show: sparse, size: 5, fill: ink },
    });
    series.push({ stroke: colour("ink-3"), width: 0, paths: () => null, points: { show: true, size: 3, fill: colour("ink-3") } });
  });

  function shade(chart: uPlot): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const span of spans) {
      const left = chart.valToPos(span.from, "x", true);
      const right = chart.valToPos(span.to, "x", true);
      ctx.globalAlpha = 0.14;
      ctx.fillStyle = colour(span.priority);
      ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
      if (span.raised === null) continue;
      ctx.globalAlpha = 1;
      ctx.fillRect(chart.valToPos(span.raised, "x", true) - ratio, bbox.top, 2 * ratio, bbox.height);
    }
    const labels: { y: number; text: string; colour: string }[] = [];
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
      if (!line.part) labels.push({ y, text: plain(line.value), colour: stroke });
    }
    ctx.restore();
    write(ctx, labels, bbox.left + bbox.width + 5 * ratio, ratio);
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

  const grid = { stroke: colour("line"), width: 1 };
  const options: uPlot.Options = {
    width: input.width,
    height: input.height,
    ms: 1,
    padding: [8, 34, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "stay", setSeries: false }, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { range: () => [input.start, input.end] },
      y: { range: () => range },
    },
    axes: [
      {
        stroke: colour("ink-3"),
        grid,
        ticks: { show: false },
        font,
        size: input.showTimes ? 24 : 4,
        splits: (_chart, _axis, low, high) => timeTicks(low, high, Math.max(2, Math.floor(input.width / 72))),
        values: (_chart, ticks) =>
          input.showTimes
            ? ticks.map((tick) => clock(tick, tick))
            : ticks.map(() => ""),
      },
      { stroke: colour("ink-3"), grid, ticks: { show: false }, font, size: 40, space: 26, values: (_chart, ticks) => ticks.map(plain) },
    ],
    series,
    bands,
    hooks: {
      drawAxes: [shade],
      setCursor: [
        (chart) => {
          const index = chart.cursor.idx;
          if (index === null || index === undefined || (chart.cursor.left ?? -1) < 0) return input.onCursor(null, []);
          input.onCursor(chart.posToVal(chart.cursor.left ?? 0, "x"), lines.map((line) => nearest(chart.data[line], chart.data[0], index, panel.hold)));
        },
      ],
    },
  };
  return new uPlot(options, dataOf(tracks, range), element);
}
