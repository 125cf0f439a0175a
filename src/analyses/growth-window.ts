import { analyseSeries } from './trend.js';

/** How a value grows, over the last so many minutes. */
export interface GrowthWindow {
  /**
   * Takes a value. Gives the growth in bytes per hour now and then: 0 until there has been one for half of the window without a break, since of
   * many looks at memory that wanders some find a slope; undefined where it is too early, or the last answer is young.
   */
  add(bytes: number, atMs: number): number | undefined;
}

/** Enough answers that a growth is noticed in time, and few enough that they cost nothing: each sorts thousands of slopes. */
const ANSWERS_IN_A_WINDOW = 60;
const LEAST_SAMPLES = 20;

/** @param windowMs how far back is looked; nothing is said before half of it was seen. */
export function openGrowthWindow(windowMs: number): GrowthWindow {
  const times: number[] = [];
  const values: number[] = [];
  let answeredMs = Number.NEGATIVE_INFINITY;
  let growingSinceMs: number | undefined;
  return {
    add(bytes, atMs) {
      times.push(atMs);
      values.push(bytes);
      const old = times.findIndex((time) => time >= atMs - windowMs);
      times.splice(0, old);
      values.splice(0, old);
      if (atMs - answeredMs < windowMs / ANSWERS_IN_A_WINDOW) return undefined;
      answeredMs = atMs;
      const { verdict, bytesPerHour } = analyseSeries(times, values, {
        minimumSamples: LEAST_SAMPLES,
        minimumSpanMs: windowMs / 2,
      });
      if (verdict === 'too early') return undefined;
      growingSinceMs = verdict === 'growing' ? (growingSinceMs ?? atMs) : undefined;
      if (growingSinceMs === undefined || atMs - growingSinceMs < windowMs / 2) return 0;
      return bytesPerHour ?? 0;
    },
  };
}
