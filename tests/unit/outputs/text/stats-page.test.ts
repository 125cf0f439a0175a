import { describe, expect, test } from 'vitest';
import type { StatsReport } from '../../../../src/model/stats-report.js';
import {
  formatBytesRate,
  formatCount,
  formatDecay,
  formatShare,
  renderStatsPage,
} from '../../../../src/outputs/text/stats-page.js';
import { textWidth } from '../../../../src/outputs/text/table.js';
import { figuresOf, sampleAt } from '../../../support/samples.js';

const MIB = 2 ** 20;
const style = { width: undefined, paint: (_: string, text: string) => text };

const HELLO: StatsReport['agent'] = {
  pid: 4711,
  jemkitVersion: '0.1.0',
  jemallocVersion: '5.3.0-0-g54eaed1d',
  profilingCompiledIn: true,
  profilingEnabled: false,
  place: 'preloaded',
  ageMs: 1000,
};

function report(more: Partial<StatsReport> = {}): StatsReport {
  const figures = {
    allocatedBytes: 60 * MIB,
    activeBytes: 80 * MIB,
    residentBytes: 100 * MIB,
    dirtyPages: 256,
    muzzyPages: 0,
    threads: 3,
    tcacheBytes: 2 * MIB,
  };
  return {
    pid: 4711,
    name: 'node server.js',
    user: 'root',
    sample: sampleAt(0, 120 * MIB, {
      process: { residentBytes: 120 * MIB, peakResidentBytes: 130 * MIB, virtualBytes: 900 * MIB, threads: 11 },
      jemalloc: figuresOf(figures),
    }),
    agent: HELLO,
    fragmentation: 0.25,
    residentOverhead: 0.2,
    rates: undefined,
    arenasInUse: 4,
    countsKept: true,
    backgroundThread: { threads: 0, runs: 0, runIntervalNs: 0, enabled: false },
    decay: { dirtyMs: [1000, 10_000], muzzyMs: [0, 0] },
    tcache: { enabled: true, maxBytes: 32_768 },
    waste: undefined,
    remark: { id: 'nothing', text: 'Nothing stands out.', next: 'jem explain 4711' },
    ...more,
  };
}

const lineOf = (page: string, label: string) =>
  page
    .split('\n')
    .find((line) => line.trimStart().startsWith(`${label} `))
    ?.trim()
    .replace(/ +/g, ' ');

describe('the page', () => {
  const page = renderStatsPage(report(), style);

  test('names the process first, and says last what stands out and what to type', () => {
    expect(page.split('\n')[0]).toBe('node server.js, pid 4711, user root');
    expect(page).toMatch(/Nothing stands out\.\nNext: jem explain 4711$/);
  });

  test('has every figure with its unit and what it is', () => {
    expect(lineOf(page, 'RSS')).toBe('RSS 120 MiB peak 130 MiB, virtual 900 MiB, 11 threads');
    expect(lineOf(page, 'allocated')).toBe('allocated 60.0 MiB what the program holds');
    expect(lineOf(page, 'active')).toBe('active 80.0 MiB the pages it lies in; fragmentation 25.0 %');
    expect(lineOf(page, 'dirty')).toBe('dirty 1.00 MiB unused, still in RAM; given back: 1 s to 10 s');
    expect(lineOf(page, 'muzzy')).toBe('muzzy 0 B unused, the kernel may take them; given back: at once');
    expect(lineOf(page, 'resident')).toBe('resident 100 MiB all of these, at most; 20.0 % beyond active');
    expect(lineOf(page, 'arenas')).toBe('arenas 4 in use, by 3 threads');
    expect(lineOf(page, 'background')).toBe('background off unused pages go back only while the program allocates');
    expect(lineOf(page, 'tcache')).toBe('tcache 2.00 MiB kept by threads, blocks up to 32.0 KiB');
    expect(lineOf(page, 'profiling')).toBe('profiling off compiled in, not started with prof:true');
    expect(page).toContain('\njemalloc 5.3.0\n');
  });

  test('has rates only where there was a look before', () => {
    expect(lineOf(page, 'requests')).toBeUndefined();
    const rates = {
      overMs: 2000,
      requestsPerSecond: 54_321,
      allocatedBytesPerSecond: -3 * MIB,
      residentBytesPerSecond: MIB,
      purgedBytesPerSecond: 0,
      processors: 1.5,
    };
    const watched = renderStatsPage(report({ rates }), style);
    expect(lineOf(watched, 'requests')).toBe("requests 54,321/s calls of malloc, as threads' caches report them");
    expect(watched).toMatch(/^ {2} {2}growth +\+1\.00 MiB\/s {2}150 % of a processor$/m);
    expect(watched).toMatch(/^ {2} {2}growth +-3\.00 MiB\/s {2}of allocated$/m);
  });

  test('has V8 where somebody inside could be asked', () => {
    const v8 = {
      isolates: 2,
      heapTotalBytes: 50 * MIB,
      heapUsedBytes: 40 * MIB,
      externalBytes: 3 * MIB,
      arrayBuffersBytes: 2 * MIB,
    };
    const base = report();
    const text = renderStatsPage({ ...base, sample: { ...base.sample, v8 } }, style);
    expect(text).toContain('V8, 2 isolates');
    expect(lineOf(text, 'heap')).toBe('heap 50.0 MiB 40.0 MiB of it used');
    expect(page).not.toContain('V8');
  });

  test('has the three classes that waste most, and none that waste nothing', () => {
    const use = (sizeBytes: number, wasteBytes: number) => ({
      sizeBytes,
      slabBytes: 4096,
      regionsPerSlab: 8,
      regions: 1234,
      slabs: 400,
      nonfullSlabs: 5,
      usedBytes: 1,
      utilization: 0.385,
      wasteBytes,
      requests: 1,
    });
    const classes = [use(320, 9 * MIB), use(64, 2 * MIB), use(8, MIB), use(16, 1024), use(48, 0)];
    const waste = { classes, slabBytes: 0, usedBytes: 0, wasteBytes: 12 * MIB };
    const text = renderStatsPage(report({ waste }), style);
    expect(text).toContain('Size classes that waste most (of 12.0 MiB in all)');
    expect(lineOf(text, '320 B')).toBe('320 B 9.00 MiB 1,234 blocks in 400 slabs, 38.5 % used');
    expect(lineOf(text, '16 B')).toBeUndefined();
    const none = renderStatsPage(report({ waste: { ...waste, classes: [use(48, 0)] } }), style);
    expect(none).not.toContain('Size classes');
  });

  test('without jemalloc, and with one that does not count, says so and shows no zeros', () => {
    const base = report();
    const bare = renderStatsPage(
      { ...base, sample: { ...base.sample, jemalloc: undefined }, remark: undefined },
      style,
    );
    expect(lineOf(bare, 'jemalloc')).toBe('jemalloc - not in this process');
    expect(bare).not.toMatch(/allocated|arenas|Next:/);
    const uncounted = renderStatsPage(report({ countsKept: false }), style);
    expect(lineOf(uncounted, 'statistics')).toBe('statistics - this library was built without them (--disable-stats)');
    expect(uncounted).not.toMatch(/allocated/);
  });

  test('is cut to the terminal', () => {
    for (const line of renderStatsPage(report(), { ...style, width: 40 })
      .split('\n')
      .slice(0, -2))
      expect(textWidth(line)).toBeLessThanOrEqual(40);
  });

  test('control characters in a name do nothing', () => {
    expect(renderStatsPage(report({ name: 'a\u001b[2J\nb' }), style)).toMatch(/^a\?\[2J\?b, pid/);
  });
});

test('figures for people', () => {
  expect([formatShare(0.1234), formatShare(undefined), formatShare(0)]).toEqual(['12.3 %', '-', '0.0 %']);
  expect([formatCount(1_234_567.4), formatCount(12), formatCount(undefined)]).toEqual(['1,234,567', '12', '-']);
  expect([formatBytesRate(2048), formatBytesRate(-2048), formatBytesRate(0.2), formatBytesRate(undefined)]).toEqual([
    '+2.00 KiB/s',
    '-2.00 KiB/s',
    '0 B/s',
    '-',
  ]);
  expect([formatDecay(-1), formatDecay(0), formatDecay(200), formatDecay(10_000), formatDecay(undefined)]).toEqual([
    'never',
    'at once',
    '200 ms',
    '10 s',
    '-',
  ]);
});
