import type { MemoryHeadroom } from '../model/memory-pressure.js';
import type { LimitOutlook, SeriesTrend } from '../model/memory-trend.js';
import { median, quantile } from './compare-runs.js';
import { theilSen } from './theil-sen.js';

const MS_PER_HOUR = 3_600_000;

/** Less than one part in a hundred of the level over all the samples, or than 1 MiB, is flat however certain it is. */
const LEAST_SHARE = 0.01;
const LEAST_BYTES = 2 ** 20;

/** A trend is looked at again and again: at 95 % a flat series would be taken for a growing one every few hours. This is 99.9 %. */
const CERTAIN_DEVIATIONS = 3.29;

/** The smallest change of this level that is one, in bytes. */
export function leastChange(levelBytes: number): number {
  return Math.max(LEAST_BYTES, LEAST_SHARE * levelBytes);
}

/** What must have been seen before anything is said. */
export interface TrendRequirement {
  readonly minimumSamples: number;
  readonly minimumSpanMs: number;
}

function tooEarly(samples: number, spanMs: number): SeriesTrend {
  const unknown = { bytesPerHour: undefined, lowBytesPerHour: undefined, highBytesPerHour: undefined };
  return { verdict: 'too early', samples, spanMs, ...unknown };
}

/** Shares of the samples, the newest ones: a leak that begins after a quiet day would be outvoted by that day for half of one. */
const RECENT_SHARES = [1 / 4, 1 / 16] as const;

interface Series {
  readonly times: readonly number[];
  readonly bytes: readonly number[];
}

const newest = ({ times, bytes }: Series, count: number): Series => ({
  times: times.slice(-count),
  bytes: bytes.slice(-count),
});

function analyseWindow(series: Series, requirement: TrendRequirement): SeriesTrend {
  const { times, bytes } = series;
  const spanMs = times.length === 0 ? 0 : times.at(-1)! - times[0]!;
  if (times.length < requirement.minimumSamples || spanMs < requirement.minimumSpanMs)
    return tooEarly(times.length, spanMs);
  const later = newest(series, Math.ceil(times.length / 2));
  const whole = theilSen(times, bytes);
  const recent = theilSen(later.times, later.bytes);
  if (!whole || !recent) return tooEarly(times.length, spanMs);
  const material = Math.abs(whole.slope) * spanMs >= leastChange(median(bytes) ?? 0);
  const goesOn = recent.slope / whole.slope >= 0.25;
  const rises = whole.low > 0 && whole.deviations > CERTAIN_DEVIATIONS;
  const falls = whole.high < 0 && whole.deviations < -CERTAIN_DEVIATIONS;
  return {
    verdict: material && goesOn && rises ? 'growing' : material && goesOn && falls ? 'shrinking' : 'flat',
    samples: times.length,
    spanMs,
    bytesPerHour: whole.slope * MS_PER_HOUR,
    lowBytesPerHour: whole.low * MS_PER_HOUR,
    highBytesPerHour: whole.high * MS_PER_HOUR,
  };
}

/** Whether the newest of `count` samples lie above nearly all that came before those: the rise of each morning does not. */
function isHigherThanBefore({ bytes }: Series, count: number): boolean {
  const now = median(bytes.slice(-Math.ceil(count / 4)));
  const before = quantile(bytes.slice(0, -count), 0.99);
  return now !== undefined && before !== undefined && now > before;
}

/**
 * Whether a series of bytes grows. It does when three things hold: its order is no chance, by Kendall's test at 99.9 %, corrected for
 * autocorrelation; over the time seen it makes at least 1 % of the level and 1 MiB; and the second half alone still rises at a quarter
 * of the slope or more, which tells growth from a step that was taken once. Shrinking is the mirror. Where all the samples together are flat,
 * the last quarter and the last sixteenth are asked as well, and count where they rise above what was before. Of random walks about 15 in 100
 * pass for growth. Rules over medians of blocks halve that, and then miss most leaks beneath the ups and downs of a day.
 *
 * @param timesMs in order; values that are NaN were not measured.
 */
export function analyseSeries(
  timesMs: ArrayLike<number>,
  values: ArrayLike<number>,
  requirement: TrendRequirement,
): SeriesTrend {
  const measured = Array.from({ length: timesMs.length }, (_, at) => at).filter((at) => Number.isFinite(values[at]!));
  const series = { times: measured.map((at) => timesMs[at]!), bytes: measured.map((at) => values[at]!) };
  const whole = analyseWindow(series, requirement);
  if (whole.verdict !== 'flat') return whole;
  for (const share of RECENT_SHARES) {
    const count = Math.floor(measured.length * share);
    if (count < requirement.minimumSamples || !isHigherThanBefore(series, count)) continue;
    const recent = analyseWindow(newest(series, count), requirement);
    if (recent.verdict === 'growing') return recent;
  }
  return whole;
}

/** The time until the room is used up at this slope; undefined where nothing grows. A slope that may be nothing has no latest time. */
export function timeToLimit(resident: SeriesTrend, limit: MemoryHeadroom | undefined): LimitOutlook | undefined {
  if (!limit) return undefined;
  const { verdict, bytesPerHour, lowBytesPerHour, highBytesPerHour } = resident;
  const room = Math.max(0, limit.limitBytes - limit.usedBytes);
  const reach = (slope: number | undefined) =>
    verdict === 'growing' && slope !== undefined && slope > 0 && Number.isFinite(slope)
      ? (room / slope) * MS_PER_HOUR
      : undefined;
  return {
    limitBytes: limit.limitBytes,
    usedBytes: limit.usedBytes,
    measured: limit.measured,
    reachedInMs: reach(bytesPerHour),
    earliestMs: reach(highBytesPerHour),
    latestMs: reach(lowBytesPerHour),
  };
}
