import type { MemorySample } from '../model/memory-sample.js';
import { MEMORY_SERIES, type MemorySeriesName } from '../model/memory-series.js';
import type { Plot, PlotCurve, PlotRun, SeriesFigures } from '../model/plot.js';
import type { Recording } from '../model/recording.js';
import { median } from './compare-runs.js';
import { analyseSeries } from './trend.js';

/** What must have been seen before a slope is given: less is mostly a program's start. */
const LEAST_SEEN = { minimumSamples: 20, minimumSpanMs: 60_000 } as const;

/** Takes the wanted figures out of the samples of one recording as they come. */
export function openCurveCollector(names: readonly MemorySeriesName[]) {
  const timesMs: number[] = [];
  const columns = names.map(() => [] as number[]);
  return {
    add(sample: MemorySample): void {
      timesMs.push(sample.monotonicMs);
      for (const [at, name] of names.entries()) columns[at]?.push(MEMORY_SERIES[name].of(sample) ?? Number.NaN);
    },
    /** Curves of figures that no sample has are left out. */
    finish(run: number, label: string, recording: Recording): { readonly run: PlotRun; readonly curves: PlotCurve[] } {
      const start = timesMs[0] ?? 0;
      const sinceStart = Float64Array.from(timesMs, (ms) => ms - start);
      const curves = names.flatMap((series, at): PlotCurve[] => {
        const bytes = Float64Array.from(columns[at] ?? []);
        const figures = figuresOf(sinceStart, bytes);
        if (!figures) return [];
        const seconds = sinceStart.map((ms) => ms / 1000);
        return [{ series, label: MEMORY_SERIES[series].label, run, seconds, bytes, figures }];
      });
      return { run: { label, recording, spanMs: sinceStart.at(-1) ?? 0 }, curves };
    },
  };
}

/** A curve in numbers; undefined where nothing was measured. */
export function figuresOf(timesMs: Float64Array, bytes: Float64Array): SeriesFigures | undefined {
  const measured = bytes.filter((value) => !Number.isNaN(value));
  const [startBytes] = measured;
  const endBytes = measured.at(-1);
  const medianBytes = median([...measured]);
  if (startBytes === undefined || endBytes === undefined || medianBytes === undefined) return undefined;
  let [lowestBytes, peakBytes] = [startBytes, startBytes];
  for (const value of measured) {
    if (value < lowestBytes) lowestBytes = value;
    if (value > peakBytes) peakBytes = value;
  }
  const trend = analyseSeries(timesMs, bytes, LEAST_SEEN);
  return { samples: measured.length, startBytes, endBytes, lowestBytes, medianBytes, peakBytes, trend };
}

/** Puts recordings over one another, each from its own start; curves of one figure stand together. */
export function overlayRecordings(
  parts: ReadonlyArray<{ readonly run: PlotRun; readonly curves: readonly PlotCurve[] }>,
): Plot {
  const order = Object.keys(MEMORY_SERIES);
  const curves = parts
    .flatMap(({ curves: own }) => own)
    .sort((a, b) => order.indexOf(a.series) - order.indexOf(b.series) || a.run - b.run);
  return { runs: parts.map(({ run }) => run), curves };
}
