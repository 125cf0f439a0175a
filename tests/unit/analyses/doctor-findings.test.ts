import { describe, expect, test } from 'vitest';
import { doctorFindings } from '../../../src/analyses/doctor-findings.js';
import type { PreloadEntry } from '../../../src/model/allocator-environment.js';
import type { MachineFacts } from '../../../src/model/doctor-facts.js';
import type { HostFacts } from '../../../src/model/host.js';
import type { LibraryProbe } from '../../../src/model/probe.js';

const LIBRARY = '/usr/lib/libjemalloc.so.2';
const HOST: HostFacts = {
  kernelRelease: '6.1',
  distribution: 'Debian',
  pageBytes: 4096,
  memoryBytes: 2 ** 34,
  memoryLimit: undefined,
  container: undefined,
  overcommit: 0,
  transparentHugePages: 'madvise',
  maxMappings: 65530,
  ptraceScope: undefined,
};
const WORKS: LibraryProbe = {
  kind: 'works',
  serving: 'jemalloc',
  version: '5.3.0',
  answers: { 'config.prof': 'true', 'arenas.page': '4096' },
  messages: [],
};
const FACTS: MachineFacts = {
  kind: 'machine',
  node: { path: '/usr/bin/node', version: '20.20.2', program: undefined },
  native: { kind: 'loaded' },
  search: {
    kind: 'found',
    library: {
      path: LIBRARY,
      allocator: 'jemalloc',
      architecture: 'x64',
      libc: 'glibc',
      identity: { device: 1, inode: 2, mtimeMs: 3, sizeBytes: 4 },
    },
    source: 'jemkit',
    rejected: [],
  },
  probe: WORKS,
  development: { header: undefined, jeprof: undefined, jemallocConfig: undefined },
  shell: { identity: { kind: 'unknown', reason: 'x' }, entries: [], variables: {} },
  settings: [],
  conf: { origins: [], effective: [], ignored: [], findings: [], version: '5.3.0' },
  host: HOST,
};
const entry = (change: Partial<PreloadEntry>): PreloadEntry => ({
  text: LIBRARY,
  place: 'LD_PRELOAD',
  path: LIBRARY,
  state: 'fits',
  detail: undefined,
  allocator: 'jemalloc',
  changedMs: 1,
  ...change,
});
const withEntries = (...entries: PreloadEntry[]): Partial<MachineFacts> => ({ shell: { ...FACTS.shell, entries } });
const withHost = (change: Partial<HostFacts>): Partial<MachineFacts> => ({ host: { ...HOST, ...change } });

test('a machine in order has no finding', () => {
  expect(doctorFindings(FACTS)).toEqual([]);
});

describe('each finding has a cause and a remedy', () => {
  test.each<[string, 'problem' | 'warning' | 'info', Partial<MachineFacts>]>([
    ['library-missing', 'problem', { search: { kind: 'none', allocator: 'jemalloc', rejected: [] }, probe: undefined }],
    [
      'library-unusable',
      'problem',
      {
        search: {
          kind: 'none',
          allocator: 'jemalloc',
          rejected: [{ path: '/x', source: 'JEMKIT_LIBRARY', reason: 'missing', detail: 'there is no such file' }],
        },
      },
    ],
    [
      'library-fails',
      'problem',
      {
        probe: { kind: 'fails', message: 'libgcc_s.so.1: cannot open', exitCode: 127, signal: undefined, messages: [] },
      },
    ],
    [
      'page-size',
      'problem',
      {
        probe: {
          kind: 'fails',
          message: '<jemalloc>: Unsupported system page size',
          exitCode: undefined,
          signal: 'SIGABRT',
          messages: [],
        },
      },
    ],
    ['library-does-not-serve', 'problem', { probe: { ...WORKS, serving: 'system' } }],
    ['no-profiling', 'info', { probe: { ...WORKS, answers: { 'config.prof': 'false' } } }],
    ['native-missing', 'warning', { native: { kind: 'missing', reason: 'it was not built' } }],
    ['preload-unusable', 'problem', withEntries(entry({ state: 'missing', detail: 'there is no such file' }))],
    ['preload-unusable', 'warning', withEntries(entry({ text: '/x.so', allocator: undefined, state: 'missing' }))],
    [
      'several-allocators-preloaded',
      'warning',
      withEntries(entry({}), entry({ text: '/m.so', allocator: 'mimalloc' })),
    ],
    ['ld-so-preload-file', 'warning', withEntries(entry({ place: '/etc/ld.so.preload' }))],
    ['overcommit-never', 'warning', withHost({ overcommit: 2 })],
    ['thp-always', 'info', withHost({ transparentHugePages: 'always' })],
    ['near-memory-limit', 'warning', withHost({ memoryLimit: { bytes: 100, usedBytes: 95, group: '/x', version: 2 } })],
  ])('%s (%s)', (id, severity, change) => {
    const findings = doctorFindings({ ...FACTS, ...change });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ id, severity });
    expect(findings[0]?.cause).toBeTruthy();
    expect(findings[0]?.remedy).toBeTruthy();
  });
});

test('problems come first', () => {
  const findings = doctorFindings({
    ...FACTS,
    ...withHost({ transparentHugePages: 'always', overcommit: 2 }),
    search: { kind: 'none', allocator: 'jemalloc', rejected: [] },
  });
  expect(findings.map(({ severity }) => severity)).toEqual(['problem', 'warning', 'info']);
});
