// What does `jem run` cost beside the start of a Node that does nothing? Starts of each kind alternate, so that whatever else the
// machine does falls on all of them; the ratio is taken within each round, and the median of the rounds counts.
//
//   npm run bench:launch [-- --rounds 60] [-- --write]     --write puts the result into bench/results/launch.md
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const jem = join(root, 'dist', 'cli', 'main.cjs');
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 60;
const TARGET = 1.3;

const plan = spawnSync(process.execPath, [jem, 'run', '--print', '--json', '--', '/bin/true'], { encoding: 'utf8' });
const { library, fallback, environment } = JSON.parse(plan.stdout);
if (!library) {
  console.error(`there is nothing to measure without a library: ${fallback.cause}\n  hint: ${fallback.remedy}`);
  process.exit(3);
}

const CASES = {
  'node -e 0': [process.execPath, ['-e', '0'], {}],
  'jem run -- /bin/true': [process.execPath, [jem, 'run', '--', '/bin/true'], {}],
  '/bin/true under jemalloc': ['/bin/true', [], environment],
};

function start([path, args, variables]) {
  const before = process.hrtime.bigint();
  const { status } = spawnSync(path, args, { stdio: 'ignore', env: { ...process.env, ...variables } });
  if (status !== 0) throw new Error(`${path} ${args.join(' ')} ended with ${status}`);
  return Number(process.hrtime.bigint() - before) / 1e6;
}

// The first starts fill the page cache and jemkit's cache of probes.
for (const row of Object.values(CASES)) start(row);

const times = Object.fromEntries(Object.keys(CASES).map((name) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const [name, row] of Object.entries(CASES)) times[name].push(start(row));
}

const at = (values, share) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const [node, run, plain] = Object.values(times);
const ratios = run.map((ms, i) => (ms - plain[i]) / node[i]);
const ratio = at(ratios, 0.5);
const row = (name, values, digits) =>
  `| ${name} | ${[0.25, 0.5, 0.75].map((share) => at(values, share).toFixed(digits)).join(' | ')} |`;

const cores = cpus();
const report = [
  '# What `jem run` costs',
  '',
  'From the start of `jem run` to the program in its place, beside `node -e 0` from start to exit. Starts alternate; milliseconds, wall clock.',
  '',
  '| | lower quartile | median | upper quartile |',
  '|---|---|---|---|',
  ...Object.entries(times).map(([name, values]) => row(name, values, 1)),
  row('ratio: (jem run − /bin/true) / node, within a round', ratios, 2),
  '',
  `**${ratio.toFixed(2)} × \`node -e 0\`** (target: under ${TARGET}), the median of ${rounds} rounds.`,
  '',
  `Machine: ${cores.length} × ${cores[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('.').slice(0, 2).join('.')}, load ${loadavg()[0].toFixed(1)}; Node ${process.versions.node}.`,
  '',
  `Command: \`npm run bench:launch -- --rounds ${rounds}\``,
  '',
].join('\n');

console.log(report);
if (process.argv.includes('--write')) writeFileSync(join(root, 'bench', 'results', 'launch.md'), report);
process.exitCode = ratio < TARGET ? 0 : 1;
