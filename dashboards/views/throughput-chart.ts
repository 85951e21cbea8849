import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { siNumber } from '../format.ts';
import type { LoadHistory } from '../load-history.ts';

const HEIGHT = 92;

/** uPlot comes with the first chart, not with the page. */
export function throughputChart(element: HTMLElement, history: LoadHistory): { update(): void; destroy(): void } {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color('--faint'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  const chart = new UPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      padding: [6, 14, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: true }, y: { range: (_, __, highest) => [0, niceLimit(highest)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 20, space: 90 },
        { ...axis, size: 42, space: 28, values: (_, splits) => splits.map((value) => siNumber(value)) },
      ],
      series: [{}, { stroke: color('--accent'), width: 1.5, fill: color('--accent-wash'), points: { show: false } }],
    },
    data(history),
    element,
  );
  const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
  observer.observe(element);
  return {
    update: () => chart.setData(data(history)),
    destroy: () => {
      observer.disconnect();
      chart.destroy();
    },
  };
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
