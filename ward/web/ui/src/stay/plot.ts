/** One trend panel as a uPlot chart: thresholds as lines, what lasted as shades, artefacts muted. */

import uPlot from "uplot";
import { axisTime, plain } from "../lib/format";
import { drawMarks, drawThresholds, type Colour } from "./marks";
import { nearest, rangeOf, timeTicks, type Mark, type Panel, type Threshold, type Track } from "./trend-data";

export interface PlotInput {
  panel: Panel;
  tracks: Track[];
  thresholds: Threshold[];
  marks: Mark[];
  start: number;
  end: number;
  width: number;
  height: number;
  showTimes: boolean;
  /** Charts of one stack share their cursor. */
  sync: string;
  onCursor(time: number | null, values: (number | null)[]): void;
  /** A span was drawn; null: all again. */
  onZoom(window: { start: number; end: number } | null): void;
}

export interface Plot {
  chart: uPlot;
  /** False: another number of curves needs another chart. */
  update(input: PlotInput): boolean;
  destroy(): void;
}

const DASHES: number[][] = [[], [6, 3], [2, 3]];
/** A drag shorter than this (pixels) is a tap. */
const DRAG = 10;

function colours(element: HTMLElement): Colour {
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

const shapeOf = (input: PlotInput): string => input.tracks.map(({ signal, low, time }) => `${signal} ${low !== null} ${time.length < 60}`).join();

export function plot(element: HTMLElement, first: PlotInput): Plot {
  let input = first;
  let range = rangeOf(input.panel, input.tracks);
  const shape = shapeOf(input);
  const colour = colours(element);
  const ink = colour("ink");
  const font = "11px Inter, sans-serif";
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  const lines: number[] = [];
  input.tracks.forEach((track, i) => {
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

  function selected(chart: uPlot): void {
    const { left, width } = chart.select;
    if (width < DRAG) return;
    const [start, end] = [chart.posToVal(left, "x"), chart.posToVal(left + width, "x")];
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    input.onZoom({ start, end });
  }

  function moved(chart: uPlot): void {
    const index = chart.cursor.idx;
    if (index === null || index === undefined || (chart.cursor.left ?? -1) < 0) return input.onCursor(null, []);
    const values = lines.map((line) => nearest(chart.data[line], chart.data[0], index, input.panel.hold));
    input.onCursor(chart.posToVal(chart.cursor.left ?? 0, "x"), values);
  }

  const grid = { stroke: colour("line"), width: 1 };
  const options: uPlot.Options = {
    width: input.width,
    height: input.height,
    ms: 1,
    padding: [8, 34, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: input.sync, setSeries: false },
      drag: { x: true, y: false, setScale: false, dist: DRAG },
      points: { size: 7 },
      y: false,
      bind: { dblclick: () => () => (input.onZoom(null), null) },
    },
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
        splits: (_chart, _axis, low, high) => timeTicks(low, high, Math.max(2, Math.floor(input.width / 84))),
        values: (_chart, ticks) => ticks.map((tick) => (input.showTimes ? axisTime(tick) : "")),
      },
      { stroke: colour("ink-3"), grid, ticks: { show: false }, font, size: 40, space: 26, values: (_chart, ticks) => ticks.map(plain) },
    ],
    series,
    bands,
    hooks: {
      drawAxes: [
        (chart) => {
          drawMarks(chart, input.marks, colour);
          drawThresholds(chart, input.thresholds, colour);
        },
      ],
      setSelect: [selected],
      setCursor: [moved],
    },
  };
  const chart = new uPlot(options, dataOf(input.tracks, range), element);
  return {
    chart,
    update(next) {
      if (shapeOf(next) !== shape || next.width !== input.width || next.height !== input.height || next.showTimes !== input.showTimes) return false;
      const sameData = next.tracks === input.tracks;
      input = next;
      range = rangeOf(input.panel, input.tracks);
      if (sameData) chart.setScale("x", { min: input.start, max: input.end });
      else chart.setData(dataOf(input.tracks, range));
      return true;
    },
    destroy: () => chart.destroy(),
  };
}
