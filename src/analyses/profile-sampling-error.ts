import type { HeapProfile } from '../model/heap-profile.js';
import type { ProfileSide } from '../model/profile-report.js';
import { sideOf } from './profile-side.js';

/**
 * The variance of each sample's bytes that sampling causes; NaN where it cannot be told.
 *
 * An object of m bytes is sampled with the chance p = 1 − e^(−m/R), and then stands for m/p bytes (Horvitz and Thompson 1952). Of n sampled
 * objects the variance is n·m²·(1 − p)/p², which is bytes²/n·(1 − p): none for objects far larger than R, each of which is sampled.
 */
export function samplingVariances(profile: HeapProfile, side: ProfileSide): Float64Array {
  const { bytes, objects } = sideOf(profile, side);
  const { sampledObjects } = profile.samples;
  const { sampleBytes } = profile.capture;
  return bytes.map((value, sample) => {
    if (value === 0) return 0;
    const missed = sampleBytes === undefined ? 1 : Math.exp(-value / objects[sample]! / sampleBytes);
    // How many were sampled is recorded of live objects at most; else it follows from the chance.
    const expected = sampleBytes === undefined ? Number.NaN : objects[sample]! * (1 - missed);
    const recorded = side === 'live' ? sampledObjects[sample]! : Number.NaN;
    const sampled = Number.isNaN(recorded) ? expected : recorded;
    return sampled > 0 ? (value * value * missed) / sampled : Number.NaN;
  });
}

/** The standard deviation of a sum of variances; undefined where one of them is not known. */
export function errorOf(variance: number): number | undefined {
  return Number.isNaN(variance) ? undefined : Math.sqrt(variance);
}
