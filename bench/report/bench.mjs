// How long from a heap dump of node to a table of its functions: jeprof beside `jem report`, on the same dump. The two take turns; time is wall
// clock from start to exit.
//
//   npm run bench:report [-- --rounds N] [-- --dump FILE] [-- --write]     --write: also into bench/results/report.md
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, dump: { type: 'string' }, write: { type: 'boolean' } },
});
const rounds = Number(options.rounds);
const loadBefore = loadavg()[0].toFixed(1);
const JEM = join(root, 'dist', 'cli', 'main.cjs');
const LIBRARY = process.env.JEMKIT_TEST_LIBRARY ?? '/usr/$LIB/libjemalloc.so.2';

const PROGRAM = `
const { createGzip } = require('node:zlib');
const keep = [];
for (let i = 0; i < 300; i++) keep.push(Buffer.alloc(100_000, 1), Buffer.from('x'.repeat(50_000)));
for (let i = 0; i < 20; i++) keep.push(createGzip(), new TextEncoder().encode('é'.repeat(40_000)));
for (let i = 0; i < 200; i++) keep.push(require('node:crypto').createHash('sha256').update(String(i)));
setImmediate(() => process.exit(0));`;

const folder = mkdtempSync(join(tmpdir(), 'jemkit-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

function makeDump() {
  const env = {
    ...process.env,
    LD_PRELOAD: LIBRARY,
    MALLOC_CONF: `prof:true,lg_prof_sample:13,prof_final:true,prof_prefix:${join(folder, 'node')}`,
  };
  const { status, stderr } = spawnSync(process.execPath, ['-e', PROGRAM], { env });
  if (status !== 0) throw new Error(`the program failed: ${stderr}`);
  const name = readdirSync(folder).find((file) => file.endsWith('.heap'));
  if (!name) throw new Error('no dump was written: is this jemalloc built with profiling?');
  return join(folder, name);
}

const dump = options.dump ?? makeDump();

/** Wall clock, and what the shell counted of its child and of what that waited for: on a busy machine only the latter says much. */
function time(command, args) {
  const started = process.hrtime.bigint();
  const { status, stdout, stderr, error } = spawnSync(
    '/bin/sh',
    ['-c', '"$@" > /dev/null || exit; times', 'sh', command, ...args],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`);
  const ms = Number(process.hrtime.bigint() - started) / 1e6;
  const seconds = [
    ...stdout
      .trim()
      .split('\n')
      .at(-1)
      .matchAll(/(\d+)m([\d.]+)s/g),
  ];
  return {
    ms,
    cpuMs: seconds.reduce((sum, [, minutes, rest]) => sum + (Number(minutes) * 60 + Number(rest)) * 1000, 0),
  };
}

const ARMS = {
  'jeprof --text --show_bytes': () => time('jeprof', ['--text', '--show_bytes', process.execPath, dump]),
  'jem report --text': () => time(process.execPath, [JEM, 'report', '--text', dump]),
  'read, symbolize and sum, without the command line': () =>
    time(process.execPath, [join(import.meta.dirname, 'sum.mjs'), dump]),
  'node -e 0, which is part of it': () => time(process.execPath, ['-e', '0']),
};

const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];
const times = Object.fromEntries(Object.keys(ARMS).map((name) => [name, []]));
for (const arm of Object.values(ARMS)) arm();
for (let round = 0; round < rounds; round++) {
  const names = Object.keys(ARMS);
  for (const name of round % 2 === 0 ? names : names.toReversed()) times[name].push(ARMS[name]());
}

const [THEIRS, OURS, BARE] = Object.keys(ARMS);
const ratiosTo = (name, unit = 'ms') => times[THEIRS].map((run, round) => run[unit] / times[name][round][unit]);
const ratios = ratiosTo(OURS);
const bare = ratiosTo(BARE);
const cpuRatios = ratiosTo(OURS, 'cpuMs');
const spread = (values, digits) =>
  `${quantile(values, 0.25).toFixed(digits)} to ${quantile(values, 0.75).toFixed(digits)}`;
const rows = Object.entries(times).map(([name, runs]) => {
  const wall = runs.map(({ ms }) => ms);
  const cpu = runs.map(({ cpuMs }) => cpuMs);
  return `| ${name} | ${quantile(wall, 0.5).toFixed(0)} | ${spread(wall, 0)} | ${quantile(cpu, 0.5).toFixed(0)} | ${spread(cpu, 0)} |`;
});
const stacks = readFileSync(dump, 'latin1').match(/^@/gm)?.length ?? 0;
const report = `# From a heap dump to a table of functions

A dump of node ${process.version} with ${stacks} stacks (${(statSync(dump).size / 1024).toFixed(0)} KiB). Runs alternate; wall clock from start to exit, CPU time (user and system) with that of child processes.

| | median ms | quartiles | median CPU ms | quartiles |
|---|---|---|---|---|
${rows.join('\n')}

**jeprof takes ${quantile(ratios, 0.5).toFixed(1)} × as long** (quartiles ${spread(ratios, 1)}; target: at least 30), the median of the ratios within ${rounds} rounds, and ${quantile(cpuRatios, 0.5).toFixed(1)} × as much CPU time (quartiles ${spread(cpuRatios, 1)}); and ${quantile(bare, 0.5).toFixed(1)} × as long as reading, symbolizing and summing alone. Each is run once before the rounds, uncounted: files are in the page cache then, and what jem report keeps of symbols between runs is there.

Machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Linux ${release().split('.').slice(0, 2).join('.')}, load before ${loadBefore}.

Command: \`npm run bench:report -- ${process.argv.slice(2).join(' ')}\`
`;
console.log(report);
if (options.write) {
  const path = join(root, 'bench', 'results', 'report.md');
  writeFileSync(`${path}.new`, report);
  renameSync(`${path}.new`, path);
}
