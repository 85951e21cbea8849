import UPlot from 'uplot';
import { siNumber } from '../format.ts';
import type { LoadHistory } from '../load-history.ts';
import type { Curves } from '../results/curves.ts';

const HEIGHT = 92;

/** uPlot comes with the first chart, not with the page. */
export function throughputChart(element: HTMLElement, history: LoadHistory): { update(): void; destroy(): void } {
  const { color, x, y } = styleOf(element);
  const { chart, destroy } = charted(
    element,
    {
      ...common(element),
      scales: { x: { time: true }, y: { range: (_, __, highest) => [0, niceLimit(highest)] } },
      axes: [x, { ...y, values: (_, splits) => splits.map((value) => siNumber(value)) }],
      series: [{}, { stroke: color('--accent'), width: 1.5, fill: color('--accent-wash'), points: { show: false } }],
    },
    data(history),
  );
  return { update: () => chart.setData(data(history)), destroy };
}

/** Curves against steps: the first as a line, the second dashed. */
export function curvesChart(element: HTMLElement, curves: Curves): { update(curves: Curves): void; destroy(): void } {
  const { color, x, y } = styleOf(element);
  const stroke = color('--accent');
  const { chart, destroy } = charted(
    element,
    {
      ...common(element),
      scales: { x: { time: false } },
      axes: [
        { ...x, values: (_, splits) => splits.map((value) => siNumber(value)) },
        {
          ...y,
          values: (_, splits) => splits.map((value) => (value === 0 ? '0' : String(Number(value.toPrecision(3))))),
        },
      ],
      series: [
        {},
        ...curves.series.map((_, index) => ({
          ...{ stroke, width: 1.5, spanGaps: true, points: { show: false } },
          ...(index === 0 ? {} : { dash: [4, 3] }),
        })),
      ],
    },
    curveData(curves),
  );
  return { update: (next) => chart.setData(curveData(next)), destroy };
}

function styleOf(element: HTMLElement): { color: (name: string) => string; x: UPlot.Axis; y: UPlot.Axis } {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color('--faint'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return { color, x: { ...axis, grid: { show: false }, size: 20, space: 90 }, y: { ...axis, size: 42, space: 28 } };
}

function common(element: HTMLElement) {
  return {
    ...{ width: element.clientWidth, height: HEIGHT, padding: [6, 14, 0, 0] as UPlot.Padding },
    ...{ cursor: { show: false }, legend: { show: false } },
  };
}

function charted(element: HTMLElement, options: UPlot.Options, values: UPlot.AlignedData) {
  const chart = new UPlot(options, values, element);
  const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
  observer.observe(element);
  return {
    chart,
    destroy: () => {
      observer.disconnect();
      chart.destroy();
    },
  };
}

function curveData({ steps, series }: Curves): UPlot.AlignedData {
  return [[...steps], ...series.map((line) => [...line])];
}

function data(history: LoadHistory): UPlot.AlignedData {
  return [history.times, history.stepsPerSecond];
}

/** 1, 2 or 5 times a power of ten, so that the scale seldom changes. */
function niceLimit(highest: number | null): number {
  if (highest === null || highest <= 0) return 10;
  const power = 10 ** Math.floor(Math.log10(highest * 1.1));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= highest * 1.1) ?? 10;
  return step * power;
}
