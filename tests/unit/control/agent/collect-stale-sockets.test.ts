import { expect, test } from 'vitest';
import { collectStaleSockets, pidOfSocketName } from '../../../../src/control/agent/collect-stale-sockets.js';
import { temporaryFolder } from '../../../support/programs.js';

test('the name of a socket tells whose it is; other files are left alone', () => {
  expect(pidOfSocketName('4711.sock')).toBe(4711);
  expect(pidOfSocketName('4711.node.sock')).toBe(4711);
  for (const name of ['4711', '.sock', '4711.sock.bak', 'x4711.sock', '12345678.sock', '-1.sock'])
    expect(pidOfSocketName(name)).toBeUndefined();
});

test('where there is no folder there is nothing to collect', async () => {
  expect(await collectStaleSockets({ JEMKIT_AGENT_DIR: temporaryFolder() }, 123_456)).toBe(0);
  expect(await collectStaleSockets({}, undefined)).toBe(0);
});
