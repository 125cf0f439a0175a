import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type AgentRequest,
  agentModeOf,
  agentVariable,
  isAgentLibrary,
  planAgent,
} from '../../../../src/control/launch/plan-agent.js';
import { temporaryFolder } from '../../../support/programs.js';

const WORKS = { kind: 'works', serving: 'jemalloc', version: '5.3.0', answers: {}, messages: [] } as const;

const request = (changes: Partial<AgentRequest>): AgentRequest => ({
  mode: 'always',
  allocator: 'jemalloc',
  program: { interpreter: '/usr/bin/node', target: { architecture: process.arch as 'x64', libc: 'glibc' } },
  probe: WORKS,
  agent: '/opt/linux-x64-glibc/libjemkit.so',
  ...changes,
});

describe('agentModeOf', () => {
  test.each([
    ['1', 'always'],
    ['auto', 'auto'],
    ['0', 'off'],
    ['', 'otherwise'],
    [undefined, 'otherwise'],
  ])('JEMKIT_AGENT=%s is %s', (value, mode) => {
    const read = agentModeOf({ JEMKIT_AGENT: value }, undefined);
    expect(read ?? 'otherwise').toBe(mode);
    if (read) expect(agentVariable(read)).toBe(value);
  });

  test.each(['yes', '2', 'AUTO', 'toString'])('JEMKIT_AGENT=%s is a mistake', (value) => {
    expect(() => agentModeOf({ JEMKIT_AGENT: value }, 'auto')).toThrow(
      expect.objectContaining({ code: 'ERR_JEM_USAGE', message: `JEMKIT_AGENT is '${value}' (expected 1, auto or 0)` }),
    );
  });
});

test('an agent is known by its file’s name', () => {
  expect(isAgentLibrary('/a b/libjemkit.so')).toBe(true);
  expect(isAgentLibrary('/a/libjemkit.so.1')).toBe(false);
  expect(isAgentLibrary('/a/mylibjemkit.so')).toBe(false);
});

describe('planAgent', () => {
  test('preloads it where it was seen to load', () => {
    expect(planAgent(request({}))).toEqual({
      kind: 'preloaded',
      mode: 'always',
      path: '/opt/linux-x64-glibc/libjemkit.so',
    });
    const proven = { ...WORKS, filters: { kind: 'works', proof: '1-0' } } as const;
    expect(planAgent(request({ probe: proven })).kind).toBe('preloaded');
    expect(planAgent(request({ mode: 'off' }))).toEqual({ kind: 'off' });
  });

  test.each<[string, Partial<AgentRequest>, RegExp]>([
    ['no-jemalloc', { allocator: 'mimalloc' }, /tells of jemalloc/],
    ['no-jemalloc', { probe: undefined }, /tells of jemalloc/],
    ['path', { agent: '/my files/linux-x64-glibc/libjemkit.so' }, /cannot stand in LD_PRELOAD/],
    ['path', { agent: '/a:b/linux-x64-glibc/libjemkit.so' }, /cannot stand in LD_PRELOAD/],
    ['program', { program: { interpreter: '/bin/x', target: undefined } }, /another C library or architecture/],
    [
      'program',
      { program: { interpreter: '/bin/x', target: { architecture: process.arch as 'x64', libc: 'musl' } } },
      /another C library or architecture/,
    ],
    [
      'filtered',
      { probe: { ...WORKS, filters: { kind: 'fatal', call: 'bind' } } },
      /^the seccomp filter here ends a process that calls bind,/,
    ],
    [
      'filtered',
      { probe: { ...WORKS, filters: { kind: 'refused', call: 'socket', errno: 1 } } },
      /refuses socket \(errno 1\)/,
    ],
    ['filtered', { probe: { ...WORKS, filters: { kind: 'uncounted' } } }, /Linux 5\.9/],
    ['untried', { probe: { kind: 'untried', reason: 'it is too dark' } }, /could not be tried with it: it is too dark/],
  ])('leaves it out: %s', (reason, changes, cause) => {
    for (const mode of ['always', 'auto'] as const)
      expect(planAgent(request({ ...changes, mode }))).toMatchObject({
        kind: 'left-out',
        mode,
        reason,
        cause: expect.stringMatching(cause),
        remedy: expect.stringMatching(/./),
      });
  });

  test('root preloads by default only what children of other users can load', () => {
    const folder = temporaryFolder();
    const inner = join(folder, `linux-${process.arch}-glibc`);
    mkdirSync(inner);
    const agent = join(inner, 'libjemkit.so');
    writeFileSync(agent, '');
    const kind = (mode: 'auto' | 'always', folderMode: number, fileMode: number) => {
      chmodSync(folder, folderMode);
      chmodSync(agent, fileMode);
      const plan = planAgent(request({ mode, agent }));
      return plan.kind === 'left-out' ? plan.reason : plan.kind;
    };
    const closed = process.geteuid?.() === 0 ? 'unreadable-for-others' : 'preloaded';
    expect(kind('auto', 0o755, 0o644)).toBe('preloaded');
    expect(kind('auto', 0o711, 0o644)).toBe('preloaded');
    expect(kind('auto', 0o700, 0o644)).toBe(closed);
    expect(kind('auto', 0o755, 0o640)).toBe(closed);
    expect(kind('always', 0o700, 0o600)).toBe('preloaded');
  });
});
