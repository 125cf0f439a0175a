import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { agentOf, socketFolder } from '../support/observed-program.js';
import { JEM, ROOT, runProgram } from '../support/programs.js';
import { openJem } from '../support/running-program.js';

const folder = folderForFile();
const env = { ...launchEnvironment(join(folder, 'cache')), JEMKIT_AGENT_DIR: socketFolder(folder) };

/** Without an end of their own; each prints again and again, and PID stands for the process. */
const ENDLESS: readonly (readonly string[])[] = [
  ['record', '--json', '-i', '50ms', 'PID'],
  ['stats', '--json', '--watch', '0.1', 'PID'],
  ['stats', '--watch', '0.1', 'PID'],
  ['watch', '--json', '--limit', '1KB', '-i', '50ms', '--cooldown', '0', '--every', '50ms', 'PID'],
  ['ctl', 'PID', 'get', 'stats.allocated', '--watch', '0.1'],
  ['top', '--batch', '-d', '0.1'],
  ['explain', '--watch', '0.5', 'PID'],
];

test('a command that prints again and again ends, without a word, when nobody reads it any more', async () => {
  const holder = openJem(
    ['run', '--agent', '--', '/usr/bin/python3', join(ROOT, 'tests', 'support', 'agent', 'ready.py')],
    { env },
  );
  expect(await holder.line()).toBe('ready');
  (await agentOf(holder.pid)).close();
  const pipeline = '"$@" | head -n 1; exit "${PIPESTATUS[0]}"';
  const ends = await Promise.all(
    ENDLESS.map((line) => {
      const words = line.map((word) => (word === 'PID' ? String(holder.pid) : word));
      return runProgram('bash', ['-c', pipeline, 'bash', process.execPath, JEM, ...words], { env });
    }),
  );
  ends.forEach(({ code, stdout, stderr }, at) => {
    const what = ENDLESS[at]?.join(' ');
    expect(code, `${what}: ${stderr}`).toBe(0);
    expect(stdout.trimEnd().split('\n'), what).toHaveLength(1);
    // A watch without --json speaks on stderr alone; what it says there is no complaint.
    expect(stderr.replace(/^jem: (watching|\d\d:\d\d:\d\d) .*\n/gm, ''), what).toBe('');
  });
  expect((await holder.end()).code).toBe(0);
});
