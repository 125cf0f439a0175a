import { describe, expect, test } from 'vitest';
import { type AbsentAgentFacts, explainAgentAbsence } from '../../../src/analyses/explain-agent-absence.js';
import { unavailableProcess } from '../../../src/analyses/unavailable-process.js';
import type { IdentifiedAllocator } from '../../../src/model/allocator-identity.js';

const jemalloc: IdentifiedAllocator = {
  kind: 'identified',
  allocator: 'jemalloc',
  arrival: 'linked',
  evidence: 'got',
  version: '5.3.0-0-g54eaed1d',
  file: undefined,
  prefix: '',
  standing: 'serving',
  libc: 'glibc',
  memory: 'read',
  beside: [],
  note: undefined,
};
const facts: AbsentAgentFacts = {
  pid: 4711,
  command: 'redis-server',
  identity: jemalloc,
  user: undefined,
  ownUid: 1000,
  otherFiles: false,
  agentVariable: undefined,
  asked: 'jem purge 4711',
};

describe('no agent', () => {
  test('which allocator it has, and how to start it', () => {
    expect(explainAgentAbsence({ kind: 'no-agent' }, facts)).toMatchObject({
      code: 'ERR_JEM_NO_AGENT',
      exitCode: 3,
      message: 'process 4711 (redis-server) has no agent of jemkit that could be asked; it is served by jemalloc 5.3.0',
      hint: 'start it with one: jem run --agent -- redis-server …',
    });
    const system = { ...jemalloc, allocator: 'system', version: undefined } as const;
    const node = explainAgentAbsence({ kind: 'no-agent' }, { ...facts, command: 'node server.js', identity: system });
    expect(node.message).toContain("it is served by glibc's malloc, not jemalloc");
    expect(node.hint).toBe(
      "start it with one: jem run --agent -- node server.js …; or call createMemory() of 'jemkit' in it",
    );
    expect(explainAgentAbsence({ kind: 'no-agent' }, { ...facts, otherFiles: true }).hint).toContain(
      'in its container',
    );
    const unknown = { ...facts, identity: { kind: 'no-permission' } } as const;
    expect(explainAgentAbsence({ kind: 'no-agent' }, unknown).message).not.toContain('served');
  });

  test('one that has not opened yet', () => {
    const error = explainAgentAbsence({ kind: 'no-agent' }, { ...facts, agentVariable: '1' });
    expect(error.message).toContain('was started with an agent (JEMKIT_AGENT=1), which has no socket (yet)');
    expect(error.hint).toContain('try again');
  });
});

describe('not permitted', () => {
  test('whose it is', () => {
    expect(explainAgentAbsence({ kind: 'not-permitted', uid: 112 }, { ...facts, user: 'redis' })).toMatchObject({
      code: 'ERR_JEM_NO_PERMISSION',
      exitCode: 3,
      message: 'process 4711 (redis-server) belongs to user redis (112); only that user and root may ask its agent',
      hint: 'sudo env PATH="$PATH" jem purge 4711',
    });
    expect(explainAgentAbsence({ kind: 'not-permitted', uid: 112 }, facts).message).toContain('to user 112;');
  });

  test('our own, or as root: what the kernel refuses', () => {
    expect(explainAgentAbsence({ kind: 'not-permitted', uid: 1000 }, facts).hint).toBe(
      'sudo env PATH="$PATH" jem purge 4711',
    );
    expect(explainAgentAbsence({ kind: 'not-permitted', uid: 5 }, { ...facts, ownUid: 0 }).hint).toContain(
      'CAP_SYS_PTRACE',
    );
  });
});

test.each([
  [2, 1, /upgrade this jemkit/],
  [1, 2, /upgrade the jemkit that starts the process/],
])('versions %d and %d', (theirs, ours, hint) => {
  const error = explainAgentAbsence({ kind: 'version-mismatch', theirs, ours }, facts);
  expect(error.code).toBe('ERR_JEM_AGENT_VERSION');
  expect(error.message).toContain(`speaks version ${theirs} of the protocol, this jemkit version ${ours}`);
  expect(error.hint).toMatch(hint);
});

test('a stranger in its place, and silence', () => {
  const foreign = explainAgentAbsence({ kind: 'foreign', path: '/tmp/jemkit-0', detail: 'it is a file' }, facts);
  expect(foreign.message).toContain('is not trusted: it is a file');
  expect(foreign.hint).toContain('ls -la /tmp/jemkit-0');
  const silent = explainAgentAbsence({ kind: 'unresponsive', detail: 'it said nothing' }, { ...facts, command: '' });
  expect(silent.message).toBe('the agent of process 4711 did not answer: it said nothing');
});

test.each([
  ['gone', 'ERR_JEM_NO_SUCH_PROCESS', /no process 7: it does not exist/],
  ['zombie', 'ERR_JEM_NO_SUCH_PROCESS', /process 7 \(x\) has ended/],
  ['kernel-thread', 'ERR_JEM_NO_SUCH_PROCESS', /7 \(x\) is a thread of the kernel/],
  ['no-permission', 'ERR_JEM_NO_PERMISSION', /may not be examined by this user/],
] as const)('a process that is %s', (kind, code, message) => {
  const error = unavailableProcess(7, kind, 'x', { command: 'jem doctor', asRoot: false });
  expect(error).toMatchObject({ code, exitCode: 3 });
  expect(error.message).toMatch(message);
  if (kind === 'no-permission') expect(error.hint).toBe('sudo jem doctor 7');
});
