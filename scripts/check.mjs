// `npm run check`: what is quick enough to run before every commit. Runs side by side, prints what failed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);

const CHECKS = [
  ['types', bin('tsc'), ['--noEmit']],
  ['types in the browser', bin('tsc'), ['-p', 'tsconfig.browser.json']],
  ['format and lint', bin('biome'), ['check', '--error-on-warnings']],
  ['unused code', bin('knip'), []],
  ['unit tests', bin('vitest'), ['run', '--project', 'unit']],
  ['generated documents', process.execPath, ['scripts/generate-docs.mjs', '--check']],
];

function run([name, command, args]) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => {
      console.log(
        `${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
      );
      if (code !== 0) console.log(output.trimEnd());
      else if (name === 'unit tests')
        console.log(
          output
            .split('\n')
            .filter((line) => /^\s+(Tests|Test Files) /.test(line))
            .join('\n'),
        );
      resolve(code === 0);
    });
  });
}

const passed = [];
for (const check of CHECKS) passed.push(await run(check));
process.exit(passed.every(Boolean) ? 0 : 1);
