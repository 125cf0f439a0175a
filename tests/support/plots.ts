import { openCurveCollector, overlayRecordings } from '../../src/analyses/plot-recordings.js';
import type { MemorySample } from '../../src/model/memory-sample.js';
import { DEFAULT_SERIES } from '../../src/model/memory-series.js';
import type { Plot } from '../../src/model/plot.js';
import type { Recording } from '../../src/model/recording.js';
import { figuresOf, HEAD, sampleAt } from './samples.js';

/** A minute and more of a process that grows by 1 MiB a second, with jemalloc's figures from the fifth second on. */
export const GROWING: readonly MemorySample[] = Array.from({ length: 90 }, (_, second) =>
  sampleAt(second, (100 + second) * 2 ** 20, {
    jemalloc:
      second < 5
        ? undefined
        : figuresOf({ smallAllocatedBytes: 60 * 2 ** 20, allocatedBytes: (70 + second) * 2 ** 20 }),
  }),
);

/** A plot of recordings with these labels and commands. */
export function plotOf(
  runs: ReadonlyArray<{
    readonly label: string;
    readonly command?: string;
    readonly samples?: readonly MemorySample[];
  }>,
): Plot {
  return overlayRecordings(
    runs.map(({ label, command = 'node server.js', samples = GROWING }, run) => {
      const collector = openCurveCollector(DEFAULT_SERIES);
      for (const sample of samples) collector.add(sample);
      const recording: Recording = {
        head: { ...HEAD, command },
        events: [],
        samples: samples.length,
        completeness: { kind: 'whole', reason: 'stopped' },
      };
      return collector.finish(run, label, recording);
    }),
  );
}
