import type { MemorySeriesName } from './memory-series.js';
import type { SeriesTrend } from './memory-trend.js';
import type { Recording } from './recording.js';

/** One curve: a figure of one recording over the time since its start. NaN is what was not measured. */
export interface PlotCurve {
  readonly series: MemorySeriesName;
  readonly label: string;
  /** Index of the recording. */
  readonly run: number;
  /** Seconds since the recording's first sample. */
  readonly seconds: Float64Array;
  readonly bytes: Float64Array;
  readonly figures: SeriesFigures;
}

/** A curve in a few numbers, in bytes; of the samples that have the figure. */
export interface SeriesFigures {
  readonly samples: number;
  readonly startBytes: number;
  readonly endBytes: number;
  readonly lowestBytes: number;
  readonly medianBytes: number;
  readonly peakBytes: number;
  readonly trend: SeriesTrend;
}

/** One recording of a plot. */
export interface PlotRun {
  /** How it is told from the others: its file's name. */
  readonly label: string;
  readonly recording: Recording;
  readonly spanMs: number;
}

/** All that is drawn. */
export interface Plot {
  readonly runs: readonly PlotRun[];
  readonly curves: readonly PlotCurve[];
}
