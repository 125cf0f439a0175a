import { describe, expect, it } from 'vitest';
import { compareRuns } from '../../../../src/analyses/compare-runs.js';
import type { DemoReport, DemoRun, DemoVariant } from '../../../../src/model/demo.js';
import { renderDemoReport } from '../../../../src/outputs/text/demo-report.js';

const MIB = 2 ** 20;

function run(variant: DemoVariant, label: string, settledMib: number, changes: Partial<DemoRun> = {}): DemoRun {
  return {
    variant,
    label,
    environment: variant === 'jemalloc' ? { LD_PRELOAD: '/a/libjemalloc.so.2' } : {},
    pid: 1,
    proof: { allocator: variant === 'jemalloc' ? 'jemalloc' : 'system', version: '5.3.0', how: ['it was looked at'] },
    requests: 100,
    failedRequests: 0,
    loadMs: 10_000,
    processorSeconds: 9.5,
    latenciesMs: [10, 20],
    residentSource: 'statm',
    samples: Array.from({ length: 171 }, (_, i) => ({
      elapsedMs: i * 100,
      residentBytes: (i < 150 ? 220 : settledMib) * MIB,
    })),
    startResidentBytes: 90 * MIB,
    peakResidentBytes: 230 * MIB,
    loadEndMs: 10_000,
    idleEndMs: 14_000,
    memory: { heapTotalBytes: 40 * MIB, heapUsedBytes: 5 * MIB, externalBytes: 50 * MIB },
    ...changes,
  };
}

function report(runs: readonly DemoRun[], notes: readonly string[] = []): DemoReport {
  return {
    startedAt: '2026-01-01T00:00:00.000Z',
    machine: {
      platform: 'linux',
      architecture: 'x64',
      kernel: '6.1',
      processors: 2,
      processorModel: 'A processor',
      memoryBytes: 8 * 2 ** 30,
      nodeVersion: '20.20.2',
      libc: 'glibc 2.36',
      jemkitVersion: '0.1.0',
    },
    parameters: { loadSeconds: 10, requests: undefined, idleSeconds: 4, collectedSeconds: 3, concurrency: 8, seed: 1 },
    library: '/a/libjemalloc.so.2',
    commandLine: ['node', 'server.mjs'],
    runs,
    comparison: compareRuns(runs),
    notes,
  };
}

describe('renderDemoReport', () => {
  const three = [run('system', 'glibc', 220), run('jemalloc', 'jemalloc', 144), run('tuned-glibc', 'tuned glibc', 167)];

  it('shows figures with their units, the chart, the verdict and the method', () => {
    const page = renderDemoReport(report(three, ['something was left out']), { width: 80, unicode: true });
    expect(page).toMatch(/RSS: after a garbage collection +220 MiB +144 MiB +167 MiB/);
    expect(page).toMatch(/of it the rest: node, allocator +130 MiB +54 MiB +77 MiB/);
    expect(page).toMatch(/CPU time under load +9\.5 s/);
    expect(page).toContain('g glibc   j jemalloc   t tuned glibc');
    expect(page).toContain('▲ load ends');
    expect(page.replace(/\s+/g, ' ')).toContain(
      '144 MiB under jemalloc, 220 MiB under glibc: jemalloc needs 35 % less',
    );
    expect(page.replace(/\s+/g, ' ')).toContain(
      'LD_PRELOAD=/a/libjemalloc.so.2. jemalloc 5.3.0 serves: it was looked at.',
    );
    expect(page).toContain('2 × A processor, 8.00 GiB');
    expect(page).toContain('Note: something was left out.');
  });

  it('fits the width, and does not part a number from its unit', () => {
    for (const width of [40, 60, 80, 120]) {
      const lines = renderDemoReport(report(three), { width, unicode: true }).split('\n');
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width + 2);
      for (const line of lines) expect(line).not.toMatch(/^\s+(%|MiB)/);
    }
  });

  it('stays in ASCII where it must', () => {
    expect(renderDemoReport(report(three), { width: 80, unicode: false })).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it('shows what was not measured as unknown', () => {
    const blind = run('jemalloc', 'jemalloc', 1, {
      samples: [],
      peakResidentBytes: undefined,
      processorSeconds: undefined,
      latenciesMs: [],
    });
    const page = renderDemoReport(report([run('system', 'glibc', 220), blind]), { width: 80, unicode: true });
    expect(page).toMatch(/RSS: peak +230 MiB +-$/m);
    expect(page).toMatch(/CPU time under load +9\.5 s +-$/m);
    expect(page).toMatch(/Latency: median +10 ms +-$/m);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });
});
