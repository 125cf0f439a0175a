import { describe, expect, test } from 'vitest';
import { explainAllocator } from '../../../src/analyses/explain-allocator.js';
import type { EnvironmentSetting, PreloadEntry } from '../../../src/model/allocator-environment.js';
import type { AllocatorBeside, IdentifiedAllocator } from '../../../src/model/allocator-identity.js';
import type { Ancestor, ProcessFacts } from '../../../src/model/doctor-facts.js';

const LIBRARY = '/usr/lib/libjemalloc.so.2';
const STARTED = Date.UTC(2026, 0, 1);

const SYSTEM: IdentifiedAllocator = {
  kind: 'identified',
  allocator: 'system',
  arrival: 'system',
  evidence: 'got',
  version: '2.36',
  file: { path: '/lib/libc.so.6', deleted: false },
  prefix: '',
  standing: 'serving',
  libc: 'glibc',
  memory: 'read',
  beside: [],
  note: undefined,
};
const JEMALLOC: IdentifiedAllocator = {
  ...SYSTEM,
  allocator: 'jemalloc',
  arrival: 'preload',
  version: '5.3.0',
  file: { path: LIBRARY, deleted: false },
};
const IDLE: AllocatorBeside = {
  allocator: 'jemalloc',
  arrival: 'preload',
  evidence: 'symbols',
  version: '5.3.0',
  file: { path: LIBRARY, deleted: false },
  prefix: '',
  standing: 'not-serving',
  servedFiles: [],
};

const FACTS: ProcessFacts = {
  kind: 'process',
  pid: 4711,
  command: 'node server.js',
  user: 'app',
  residentBytes: 1,
  startedMs: STARTED,
  identity: SYSTEM,
  executable: { path: '/usr/bin/node', deleted: false, libc: 'glibc', architecture: 'x64', isStatic: false },
  secure: false,
  variables: {},
  entries: [],
  ancestors: [],
  unit: undefined,
  settings: [],
  callerPreload: undefined,
  otherFiles: false,
  suggestedLibrary: LIBRARY,
  conf: { origins: [], effective: [], ignored: [], findings: [], version: undefined },
  host: {
    kernelRelease: undefined,
    distribution: undefined,
    pageBytes: 4096,
    memoryBytes: undefined,
    memoryLimit: undefined,
    container: undefined,
    overcommit: 0,
    transparentHugePages: 'madvise',
    maxMappings: undefined,
    ptraceScope: undefined,
  },
};

const entry = (change: Partial<PreloadEntry>): PreloadEntry => ({
  text: LIBRARY,
  place: 'LD_PRELOAD',
  path: LIBRARY,
  state: 'fits',
  detail: undefined,
  allocator: 'jemalloc',
  changedMs: STARTED - 1000,
  ...change,
});
const setting = (change: Partial<EnvironmentSetting>): EnvironmentSetting => ({
  variable: 'LD_PRELOAD',
  value: LIBRARY,
  kind: 'shell-profile',
  path: '/home/app/.profile',
  line: 3,
  modifiedMs: STARTED - 1,
  ...change,
});
const ancestor = (pid: number, change: Partial<Ancestor> = {}): Ancestor => ({
  pid,
  command: `program-${pid}`,
  preload: { kind: 'read', value: undefined },
  pm2Daemon: false,
  ...change,
});

const explain = (change: Partial<ProcessFacts>) => explainAllocator({ ...FACTS, ...change });
const only = (change: Partial<ProcessFacts>) => {
  const findings = explain(change);
  expect(findings).toHaveLength(1);
  return findings[0]!;
};

test('under jemalloc there is nothing to say', () => {
  expect(explain({ identity: JEMALLOC })).toEqual([]);
});

describe('why not jemalloc: every answer has a cause and a remedy', () => {
  const musl = { ...FACTS.executable!, libc: 'musl' } as const;
  const withPreload: Ancestor['preload'] = { kind: 'read', value: LIBRARY };
  test.each<[string, Partial<ProcessFacts>, string]>([
    ['preload-absent', {}, 'LD_PRELOAD was not set'],
    ['static-program', { executable: { ...FACTS.executable!, isStatic: true } }, 'statically linked'],
    ['secure-program', { secure: true, entries: [entry({})] }, 'setuid'],
    ['musl-program', { executable: musl }, 'musl'],
    [
      'preload-wrong-libc',
      { executable: musl, entries: [entry({ state: 'wrong-libc', detail: 'it is built for glibc' })] },
      'built for glibc',
    ],
    ['preload-missing', { entries: [entry({ state: 'missing', detail: 'there is no such file' })] }, 'no such file'],
    [
      'preload-missing',
      { otherFiles: true, entries: [entry({ state: 'missing', detail: 'there is no such file' })] },
      'container',
    ],
    [
      'preload-unreadable',
      { entries: [entry({ state: 'unreadable', detail: 'it cannot be read (EACCES)' })] },
      'EACCES',
    ],
    [
      'preload-wrong-architecture',
      { entries: [entry({ state: 'wrong-architecture', detail: 'it is built for arm64' })] },
      'arm64',
    ],
    [
      'preload-not-a-library',
      { entries: [entry({ state: 'not-a-library', detail: 'it is not an ELF file' })] },
      'not an ELF',
    ],
    [
      'preload-noexec',
      { entries: [entry({ state: 'noexec', detail: 'it lies on /mnt, which is mounted noexec' })] },
      'noexec',
    ],
    ['preload-came-later', { entries: [entry({ changedMs: STARTED + 1 })] }, 'after this process had started'],
    ['preload-ignored', { entries: [entry({})] }, 'which fits'],
    ['environment-unreadable', { variables: undefined }, 'cannot be read'],
    ['pm2-daemon', { ancestors: [ancestor(5, { pm2Daemon: true })] }, 'pid 5'],
    [
      'preload-dropped',
      { ancestors: [ancestor(5), ancestor(4, { preload: withPreload })] },
      'program-4 (pid 4) has LD_PRELOAD, program-5 (pid 5)',
    ],
    [
      'preload-dropped',
      { ancestors: [ancestor(5, { preload: withPreload })] },
      'this process, which it started, has not',
    ],
    ['unit-without-preload', { unit: { name: 'web.service', ofUser: false, settings: [] } }, 'web.service'],
    [
      'started-before-setting',
      {
        unit: {
          name: 'web.service',
          ofUser: true,
          settings: [setting({ kind: 'systemd-unit', path: '/x.conf', modifiedMs: STARTED + 1 })],
        },
      },
      '/x.conf',
    ],
    ['started-before-setting', { settings: [setting({ modifiedMs: STARTED + 1 })] }, '/home/app/.profile:3'],
    ['preload-not-inherited', { settings: [setting({})] }, '/home/app/.profile:3'],
    ['preload-only-in-this-shell', { callerPreload: LIBRARY }, 'this shell'],
  ])('%s', (id, change, words) => {
    const finding = only(change);
    expect(finding).toMatchObject({ id, severity: 'problem' });
    expect(finding.cause).toContain(words);
    expect(finding.remedy).toBeTruthy();
  });

  test('a pm2 daemon that has the variable is not to blame', () => {
    expect(only({ ancestors: [ancestor(5, { pm2Daemon: true, preload: withPreload })] }).id).toBe('preload-dropped');
  });

  test("in a container the remedy is inside the container's image", () => {
    expect(only({ otherFiles: true, entries: [entry({ state: 'missing' })] }).remedy).toContain('image');
  });

  test("a unit's remedy names the unit and the library", () => {
    const { remedy } = only({ unit: { name: 'web.service', ofUser: true, settings: undefined } });
    expect(remedy).toContain('systemctl --user edit web.service');
    expect(remedy).toContain(`LD_PRELOAD=${LIBRARY}`);
  });
});

describe('mapped but not serving', () => {
  test('because another comes first', () => {
    const identity = {
      ...SYSTEM,
      allocator: 'mimalloc' as const,
      file: { path: '/m.so', deleted: false },
      beside: [IDLE],
    };
    expect(only({ identity })).toMatchObject({
      id: 'mapped-not-serving',
      severity: 'problem',
      cause: expect.stringContaining('/m.so'),
    });
  });

  test('because it came later', () => {
    const finding = only({ identity: { ...SYSTEM, beside: [{ ...IDLE, arrival: 'dlopen' }] } });
    expect(finding).toMatchObject({ id: 'mapped-not-serving', cause: expect.stringContaining('after the start') });
  });
});

test('two allocators', () => {
  const beside: AllocatorBeside[] = [
    { ...IDLE, allocator: 'system', standing: 'serving-some', servedFiles: ['/app/addon.node'] },
  ];
  expect(only({ identity: { ...JEMALLOC, beside } })).toMatchObject({
    id: 'two-allocators',
    severity: 'warning',
    title: expect.stringContaining('addon.node'),
  });
});

test('two preloaded allocators', () => {
  const beside: AllocatorBeside[] = [{ ...IDLE, allocator: 'mimalloc', arrival: 'preload' }];
  expect(only({ identity: { ...JEMALLOC, arrival: 'preload', beside } })).toMatchObject({
    id: 'two-preloaded',
    severity: 'problem',
    remedy: expect.stringContaining('--allocator jemalloc'),
  });
});

test("a jemalloc of a program's own is no problem", () => {
  const beside: AllocatorBeside[] = [{ ...IDLE, standing: 'private', prefix: '_rjem_', arrival: 'static' }];
  expect(only({ identity: { ...SYSTEM, beside } })).toMatchObject({ id: 'private-jemalloc', severity: 'info' });
});

test('another allocator that someone chose is no problem', () => {
  expect(only({ identity: { ...SYSTEM, allocator: 'tcmalloc', arrival: 'preload' } })).toMatchObject({
    id: 'other-allocator',
    severity: 'info',
  });
});

test('what was not measured is said', () => {
  const identity: IdentifiedAllocator = {
    ...JEMALLOC,
    standing: 'unmeasured',
    evidence: 'maps',
    memory: 'no-permission',
  };
  expect(only({ identity })).toMatchObject({ id: 'not-measured', severity: 'warning', remedy: 'sudo jem doctor 4711' });
});

test('a replaced library asks for a restart', () => {
  expect(only({ identity: { ...JEMALLOC, file: { path: LIBRARY, deleted: true } } })).toMatchObject({
    id: 'library-replaced',
    severity: 'warning',
  });
});

test('what cannot be told is a problem', () => {
  expect(only({ identity: { kind: 'unknown', reason: 'two are mapped' } })).toMatchObject({
    id: 'allocator-unknown',
    severity: 'problem',
  });
});
