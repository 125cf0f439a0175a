/**
 * What a stack's samples stand for: an allocation of `s` bytes is sampled with the chance 1 − e^(−s/R), and the samples of a stack are taken to be of the same size.
 * Exact (1) where every allocation was recorded.
 */
export function samplingFactor(objects: number, bytes: number, sampleBytes: number | undefined): number {
  if (sampleBytes === undefined || sampleBytes <= 1 || objects <= 0 || bytes <= 0) return 1;
  return 1 / -Math.expm1(-(bytes / objects) / sampleBytes);
}
