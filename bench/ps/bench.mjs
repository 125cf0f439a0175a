// How long `jem ps` takes on a machine with 1,000 more processes, beside the start of an empty node, which is part of it.
import { spawn, spawnSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';

const PROCESSES = 1000;
const ROUNDS = 7;
const JEM = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url));

function secondsOf(args) {
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
  return Number(process.hrtime.bigint() - start) / 1e9;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const children = Array.from({ length: PROCESSES }, () => spawn('sleep', ['600'], { stdio: 'ignore' }));
try {
  await Promise.all(
    children.map((child) => new Promise((resolve, reject) => child.on('spawn', resolve).on('error', reject))),
  );
  secondsOf([JEM, 'ps']);
  const ps = [];
  const empty = [];
  for (let round = 0; round < ROUNDS; round++) {
    ps.push(secondsOf([JEM, 'ps']));
    empty.push(secondsOf(['-e', '0']));
  }
  console.log(
    `jem ps with ${PROCESSES} more processes: median ${median(ps).toFixed(3)} s (${ps.map((s) => s.toFixed(3)).join(' ')})`,
  );
  console.log(`node -e 0: median ${median(empty).toFixed(3)} s`);
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Linux ${release().split('.').slice(0, 2).join('.')}, node ${process.version}; command: npm run bench:ps`,
  );
} finally {
  for (const child of children) child.kill();
}
