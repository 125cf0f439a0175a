import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, runProgram } from '../support/programs.js';

// A few seconds of what `npm run stress:profile` does for an hour, once on each version of Node.
test('whatever a program does, profiling neither harms it nor names a function wrongly', async () => {
  const arms = ['compaction', 'thread-pool', 'switching', 'small-stack'].flatMap((arm) => ['--arm', arm]);
  const { code, stdout, stderr } = await runProgram(
    process.execPath,
    [join(ROOT, 'bench', 'stress-profile', 'stress.mjs'), '--seconds', '20', '--round-seconds', '4', ...arms],
    { timeoutMs: 170_000 },
  );
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  // Rounds may take longer than they are told to; each did something, and was looked at.
  const rounds = [...stdout.matchAll(/^ok {4}Node (\d+), .*: (\d+) captures, (\d+) blocks checked$/gm)];
  expect(rounds.length, stdout).toBeGreaterThan(1);
  for (const [, , captures] of rounds) expect(Number(captures), stdout).toBeGreaterThan(0);
  expect(rounds.some(([, , , blocks]) => Number(blocks) > 20)).toBe(true);
}, 180_000);
