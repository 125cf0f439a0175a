/** Which way memory goes. `too early`: not enough was seen to say. */
export type TrendVerdict = 'growing' | 'flat' | 'shrinking' | 'too early';

/** One series of samples as a slope. */
export interface SeriesTrend {
  readonly verdict: TrendVerdict;
  /** Samples the verdict rests on, and the time they span. */
  readonly samples: number;
  readonly spanMs: number;
  /** Theil–Sen's slope, in bytes per hour; undefined while it is too early. */
  readonly bytesPerHour: number | undefined;
  /** The bounds of its 95 % interval, with Kendall's variance raised for autocorrelation; infinite where few samples cannot tell. */
  readonly lowBytesPerHour: number | undefined;
  readonly highBytesPerHour: number | undefined;
}

/** What {@link Memory.trend} gives: the samples since the warm-up, as slopes. */
export interface MemoryTrend {
  /** That of the resident memory. */
  readonly verdict: TrendVerdict;
  /** RSS. Undefined series were not measured. */
  readonly resident: SeriesTrend | undefined;
  /** What the program holds of jemalloc. */
  readonly allocated: SeriesTrend | undefined;
  /** The pages in which it lies. */
  readonly active: SeriesTrend | undefined;
  /** V8's used heap, of this thread's isolate. */
  readonly heapUsed: SeriesTrend | undefined;
  /** ArrayBuffers and Buffers of this thread's isolate. */
  readonly arrayBuffers: SeriesTrend | undefined;
  /** The nearest memory limit (of a control group, or `pressure.limitBytes`), and when it is reached; undefined where there is none. */
  readonly limit: LimitOutlook | undefined;
}

/** How far a memory limit is. */
export interface LimitOutlook {
  readonly limitBytes: number;
  /** What counts against it now and cannot be taken back, as page cache can. */
  readonly usedBytes: number;
  /** Which limit it is, in words. */
  readonly measured: string;
  /** Milliseconds until the limit at the slope of RSS; undefined where RSS does not grow. */
  readonly reachedInMs: number | undefined;
  /** The same at the steepest slope of the interval. */
  readonly earliestMs: number | undefined;
  /** The same at the flattest. */
  readonly latestMs: number | undefined;
}
