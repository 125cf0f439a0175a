import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentDirectories, socketNames, userAsSeen } from '../../../../src/sources/agent/agent-path.js';

const theirs = (value: string) => new Map([['JEMKIT_AGENT_DIR', value]]);

describe('the folders', () => {
  test('are the one that the process was told, where that is absolute', () => {
    expect(agentDirectories(theirs('/run/app//'), { JEMKIT_AGENT_DIR: '/ours' })).toEqual(['/run/app']);
    expect(agentDirectories(theirs('/'), {})).toEqual(['/']);
    expect(agentDirectories(theirs('relative'), {})).toEqual(['/tmp']);
    expect(agentDirectories(theirs(''), {})).toEqual(['/tmp']);
  });

  test('are ours and the default, where its environment tells nothing', () => {
    expect(agentDirectories(undefined, { JEMKIT_AGENT_DIR: '/ours' })).toEqual(['/ours', '/tmp']);
    expect(agentDirectories(new Map(), {})).toEqual(['/tmp']);
  });
});

test('the addon is asked first', () => {
  expect(socketNames(7)).toEqual([
    ['7.node.sock', 'addon'],
    ['7.sock', 'preloaded'],
  ]);
});

describe('a user as a process sees it', () => {
  test('is the same outside of user namespaces', () => {
    expect(userAsSeen('         0          0 4294967295\n', 1000)).toBe(1000);
    expect(userAsSeen('', 1000)).toBe(1000);
  });

  test('is another in one', () => {
    const map = '         0       1000          1\n         1     100000      65536\n';
    expect([1000, 100_000, 100_032, 5].map((uid) => userAsSeen(map, uid))).toEqual([0, 1, 33, 5]);
  });

  test('is a number for any map', () => {
    fc.assert(fc.property(fc.string(), fc.nat(70_000), (map, uid) => Number.isFinite(userAsSeen(map, uid))));
  });
});
