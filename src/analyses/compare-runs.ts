import type { DemoComparison, DemoDifference, DemoRun, DemoSummary, ResidentSample } from '../model/demo.js';

/**
 * How far runs of the same server under the same allocator came apart when they were repeated on a machine of two processors with
 * other work: memory after a garbage collection by up to 4 in 100 of the median, the peak by 5, CPU time by 20, and requests per
 * second by 30 and more. Less than this is no difference.
 */
export const DEMO_MARGINS = { settled: 0.05, peak: 0.1, processor: 0.2, throughput: 0.35 } as const;

/** A shorter load is mostly Node's warming up: its speed says nothing. */
const SHORTEST_LOAD_MS = 5000;

/** The median moment of the last second before `endMs`, so that one odd sample does not count. */
const WINDOW_MS = 1000;

/** The middle value, or the mean of the two in the middle; undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  if (middle === undefined || sorted.length % 2 === 1) return middle;
  return (middle + (sorted[sorted.length / 2 - 1] as number)) / 2;
}

/** The smallest value that at least `share` of the values do not exceed (nearest rank); undefined of none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil(Math.min(1, Math.max(0, share)) * sorted.length);
  return sorted[Math.max(0, rank - 1)];
}

function medianBefore(samples: readonly ResidentSample[], fromMs: number, endMs: number): number | undefined {
  const start = Math.max(fromMs, endMs - WINDOW_MS);
  return median(
    samples
      .filter(({ elapsedMs }) => elapsedMs > start && elapsedMs <= endMs)
      .map(({ residentBytes }) => residentBytes),
  );
}

/** The figures of one run. */
export function summariseRun(run: DemoRun): DemoSummary {
  const { samples, loadEndMs, idleEndMs, memory } = run;
  const lastMs = samples.at(-1)?.elapsedMs ?? 0;
  const settledBytes = lastMs > idleEndMs ? medianBefore(samples, idleEndMs, lastMs) : undefined;
  const knownBytes = memory.heapTotalBytes + memory.externalBytes;
  return {
    variant: run.variant,
    label: run.label,
    peakBytes: run.peakResidentBytes,
    // The last moment itself: jemalloc starts to give memory back within the second.
    afterLoadBytes: samples.findLast(({ elapsedMs }) => elapsedMs <= loadEndMs)?.residentBytes,
    afterIdleBytes: medianBefore(samples, loadEndMs, idleEndMs),
    settledBytes,
    knownBytes,
    restBytes: settledBytes === undefined ? undefined : Math.max(0, settledBytes - knownBytes),
    requestsPerSecond: run.loadMs > 0 ? (run.requests * 1000) / run.loadMs : 0,
    processorSeconds: run.processorSeconds,
    processorMsPerRequest:
      run.processorSeconds === undefined || run.requests === 0
        ? undefined
        : (run.processorSeconds * 1000) / run.requests,
    medianLatencyMs: quantile(run.latenciesMs, 0.5),
    p99LatencyMs: quantile(run.latenciesMs, 0.99),
  };
}

/** One figure against another; undefined where either was not measured. */
export function compareFigures(
  subject: number | undefined,
  reference: number | undefined,
  margin: number,
): DemoDifference | undefined {
  if (subject === undefined || reference === undefined || reference <= 0 || subject < 0) return undefined;
  const ratio = subject / reference;
  // Symmetric: swapping the two must swap the verdict.
  const verdict = ratio < 1 / (1 + margin) ? 'less' : ratio > 1 + margin ? 'more' : 'no-difference';
  return { ratio, verdict };
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const perCent = (share: number) => `${Math.round(share * 100)} %`;

function change(difference: DemoDifference): string {
  const share = Math.abs(1 - difference.ratio);
  return `${perCent(share)} ${difference.ratio < 1 ? 'less' : 'more'}`;
}

function settledSentence(jemalloc: DemoSummary, other: DemoSummary, difference: DemoDifference): string {
  const figures = `${mebibytes(jemalloc.settledBytes ?? 0)} under jemalloc, ${mebibytes(other.settledBytes ?? 0)} under ${other.label}`;
  if (difference.verdict === 'no-difference') {
    return `Memory at the end: ${figures}: no difference that this run can show (under ${perCent(DEMO_MARGINS.settled)}).`;
  }
  return difference.verdict === 'less'
    ? `Memory at the end: ${figures}: jemalloc needs ${change(difference)} for the same data.`
    : `Memory at the end: ${figures}: jemalloc does not win here, it needs ${change(difference)}.`;
}

function peakSentence(difference: DemoDifference, other: DemoSummary): string {
  return difference.verdict === 'no-difference'
    ? `Peak under load: no difference that this run can show (under ${perCent(DEMO_MARGINS.peak)}).`
    : `Peak under load: ${change(difference)} under jemalloc than under ${other.label}.`;
}

function speedSentence(
  processor: DemoDifference | undefined,
  throughput: DemoDifference | undefined,
  other: DemoSummary,
): string | undefined {
  const shown: string[] = [];
  const equal: string[] = [];
  if (processor?.verdict === 'no-difference') equal.push(`CPU time (under ${perCent(DEMO_MARGINS.processor)})`);
  else if (processor) shown.push(`took ${change(processor)} CPU time`);
  if (throughput?.verdict === 'no-difference')
    equal.push(`requests per second (under ${perCent(DEMO_MARGINS.throughput)})`);
  else if (throughput) shown.push(`answered ${change(throughput).replace('less', 'fewer')} requests per second`);
  const clauses = [
    ...(shown.length > 0 ? [`jemalloc ${shown.join(' and ')} than ${other.label}`] : []),
    ...(equal.length > 0 ? [`no difference that this run can show in ${equal.join(' and ')}`] : []),
  ];
  return clauses.length > 0 ? `Speed: ${clauses.join('; ')}.` : undefined;
}

/** Sets the runs side by side. The sentences say what the figures say, whoever wins. */
export function compareRuns(runs: readonly DemoRun[]): DemoComparison {
  const summaries = runs.map(summariseRun);
  const system = summaries.find(({ variant }) => variant === 'system');
  const jemalloc = summaries.find(({ variant }) => variant === 'jemalloc');
  const tuned = summaries.find(({ variant }) => variant === 'tuned-glibc');
  const none = {
    summaries,
    settled: undefined,
    peak: undefined,
    processor: undefined,
    throughput: undefined,
    sentences: [],
  };
  if (!jemalloc || !system) return none;

  const settled = compareFigures(jemalloc.settledBytes, system.settledBytes, DEMO_MARGINS.settled);
  const peak = compareFigures(jemalloc.peakBytes, system.peakBytes, DEMO_MARGINS.peak);
  const shortest = Math.min(...runs.map(({ loadMs }) => loadMs));
  const compareSpeed = (figure: 'processorMsPerRequest' | 'requestsPerSecond', margin: number) =>
    shortest < SHORTEST_LOAD_MS ? undefined : compareFigures(jemalloc[figure], system[figure], margin);
  const processor = compareSpeed('processorMsPerRequest', DEMO_MARGINS.processor);
  const throughput = compareSpeed('requestsPerSecond', DEMO_MARGINS.throughput);
  const sentences: string[] = [];
  if (settled) sentences.push(settledSentence(jemalloc, system, settled));
  const againstTuned = tuned && compareFigures(jemalloc.settledBytes, tuned.settledBytes, DEMO_MARGINS.settled);
  if (tuned && againstTuned) sentences.push(settledSentence(jemalloc, tuned, againstTuned));
  if (peak) sentences.push(peakSentence(peak, system));
  const speed = speedSentence(processor, throughput, system);
  if (speed) sentences.push(speed);
  else if (shortest < SHORTEST_LOAD_MS) {
    sentences.push(
      `Speed: not compared, the load lasted ${(shortest / 1000).toFixed(1)} s only (at least ${SHORTEST_LOAD_MS / 1000} s are needed).`,
    );
  }
  const failed = runs.filter(({ failedRequests }) => failedRequests > 0);
  if (failed.length > 0) {
    const list = failed
      .map(({ label, failedRequests, requests }) => `${failedRequests} of ${requests} under ${label}`)
      .join(', ');
    sentences.push(`Requests that failed: ${list}; a run with failures did less work, so do not trust its figures.`);
  }
  return { summaries, settled, peak, processor, throughput, sentences };
}
