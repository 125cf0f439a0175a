// `npm test`: sets up what the tests need, then runs the quick checks and every test that can run here. Without CI=true a missing
// piece leaves out the tests that need it, by name; with it, it fails.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setUpTests } from './setup-tests.mjs';

const root = join(import.meta.dirname, '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);

function run(command, args) {
  console.log(`\n+ ${[command.replace(`${root}/`, ''), ...args].join(' ')}`);
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: root });
  if (status !== 0) process.exit(status ?? 1);
}

const left = setUpTests();
if (left.length > 0 && process.env.CI === 'true') {
  console.error('CI=true: nothing may be missing.');
  process.exit(1);
}
run(process.execPath, ['scripts/check.mjs']);
const excluded = [...new Set(left.map(({ test }) => test))].flatMap((test) => [
  '--exclude',
  `tests/${test}${test.includes('/') ? '*' : '/**'}`,
]);
run(bin('vitest'), ['run', '--project', 'process', '--project', 'browser', ...excluded]);
if (left.length > 0) {
  console.error('\nNot run:');
  for (const { test, reason } of left) console.error(`  tests/${test}: ${reason}`);
}
