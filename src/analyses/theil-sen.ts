/**
 * Theil's and Sen's slope: the median of the slopes between all pairs of points. Up to 29 of 100 points may be anything without
 * moving it far. Sen 1968, "Estimates of the regression coefficient based on Kendall's tau".
 */
export interface SenSlope {
  /** Units of value per unit of time. */
  readonly slope: number;
  /** The interval that holds the true slope in 95 of 100 cases; infinite where so few points cannot tell. */
  readonly low: number;
  readonly high: number;
  /** Kendall's statistic in standard deviations: how far the order of the values is from chance. Above 0 for rising ones. */
  readonly deviations: number;
  /** How many points were compared: those given, or what they were thinned to. */
  readonly points: number;
  /**
   * By how much the variance of Kendall's statistic was raised because each point resembles the one before it (at least 1).
   * Hamed and Rao 1998, "A modified Mann-Kendall trend test for autocorrelated data".
   */
  readonly varianceFactor: number;
}

/** 120 points are 7,140 pairs: under 1 ms. All 1,440 minutes of a day would be a million pairs and 100 ms or more. */
const MAX_POINTS = 120;

/** Two-sided 95 %. */
const Z = 1.959963984540054;

function middleOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Points {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

function measuredPoints(times: ArrayLike<number>, values: ArrayLike<number>): Points {
  const kept = { times: new Float64Array(times.length), values: new Float64Array(times.length) };
  let count = 0;
  for (let at = 0; at < times.length; at++) {
    const [time, value] = [times[at]!, values[at]!];
    if (!Number.isFinite(time) || !Number.isFinite(value)) continue;
    kept.times[count] = time;
    kept.values[count] = value;
    count++;
  }
  return { times: kept.times.subarray(0, count), values: kept.values.subarray(0, count) };
}

/** Neighbours in equal groups, each as the median of its times and of its values: an outlier does not get through. */
function thin({ times, values }: Points): Points {
  const group = Math.ceil(times.length / MAX_POINTS);
  if (group === 1) return { times, values };
  const count = Math.floor(times.length / group);
  const thinned = { times: new Float64Array(count), values: new Float64Array(count) };
  // What does not fill a group is left out at the old end.
  const first = times.length - count * group;
  for (let at = 0; at < count; at++) {
    const [from, to] = [first + at * group, first + (at + 1) * group];
    thinned.times[at] = middleOfSorted(times.slice(from, to).sort());
    thinned.values[at] = middleOfSorted(values.slice(from, to).sort());
  }
  return thinned;
}

/** t(t−1)(2t+5) over all groups of t equal values: what ties take from the variance. */
function tieTerm(values: Float64Array): number {
  const sorted = values.slice().sort();
  let term = 0;
  for (let at = 0, run = 1; at < sorted.length; at++) {
    if (at + 1 < sorted.length && sorted[at + 1] === sorted[at]) {
      run++;
      continue;
    }
    term += run * (run - 1) * (2 * run + 5);
    run = 1;
  }
  return term;
}

/** Ranks from 0; equal values share the mean of theirs. */
function ranksOf(values: Float64Array): Float64Array {
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let at = 0; at < order.length; ) {
    let end = at + 1;
    while (end < order.length && values[order[end]!] === values[order[at]!]) end++;
    for (let same = at; same < end; same++) ranks[order[same]!] = (at + end - 1) / 2;
    at = end;
  }
  return ranks;
}

/** Memory moves slowly: a point tells little that the one before it did not. Lags count until the first without significance. */
function varianceFactorOf({ times, values }: Points, slope: number): number {
  const count = times.length;
  const ranks = ranksOf(values.map((value, at) => value - slope * times[at]!));
  const mean = (count - 1) / 2;
  const product = (lag: number) => {
    let sum = 0;
    for (let at = 0; at + lag < count; at++) sum += (ranks[at]! - mean) * (ranks[at + lag]! - mean);
    return sum;
  };
  const variance = product(0);
  if (variance === 0) return 1;
  let sum = 0;
  for (let lag = 1; lag < count - 2; lag++) {
    const correlation = product(lag) / variance;
    if (correlation < Z / Math.sqrt(count)) break;
    sum += (count - lag) * (count - lag - 1) * (count - lag - 2) * correlation;
  }
  return 1 + (2 * sum) / (count * (count - 1) * (count - 2));
}

/** The slopes between all pairs, and how many more rise than fall. */
function slopesBetween({ times, values }: Points): { readonly slopes: Float64Array; readonly rising: number } {
  const slopes = new Float64Array((times.length * (times.length - 1)) / 2);
  let count = 0;
  let rising = 0;
  for (let from = 0; from < times.length; from++) {
    for (let to = from + 1; to < times.length; to++) {
      const span = times[to]! - times[from]!;
      if (!(span > 0)) continue;
      const rise = values[to]! - values[from]!;
      slopes[count++] = rise / span;
      rising += Math.sign(rise);
    }
  }
  return { slopes: slopes.subarray(0, count).sort(), rising };
}

/**
 * The slope of values over times (which do not fall), with its 95 % interval. Points that are no numbers are passed over; more than
 * 120 are thinned by medians of neighbours. Undefined for fewer than three points, or where no time passes.
 */
export function theilSen(times: ArrayLike<number>, values: ArrayLike<number>): SenSlope | undefined {
  const points = thin(measuredPoints(times, values));
  const count = points.times.length;
  const { slopes, rising } = slopesBetween(points);
  if (count < 3 || slopes.length === 0) return undefined;
  const slope = middleOfSorted(slopes);
  const varianceFactor = varianceFactorOf(points, slope);
  const variance = (count * (count - 1) * (2 * count + 5) - tieTerm(points.values)) / 18;
  const deviation = Math.sqrt(Math.max(0, variance) * varianceFactor);
  const reach = Z * deviation;
  const below = Math.floor((slopes.length - reach) / 2) - 1;
  const above = Math.ceil((slopes.length + reach) / 2);
  return {
    slope,
    low: slopes[below] ?? (below < 0 && reach > 0 ? Number.NEGATIVE_INFINITY : slopes[0]!),
    high: slopes[above] ?? (reach > 0 ? Number.POSITIVE_INFINITY : slopes.at(-1)!),
    deviations: deviation === 0 ? 0 : (rising - Math.sign(rising)) / deviation,
    points: count,
    varianceFactor,
  };
}
