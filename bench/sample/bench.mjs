// What does a sample of jemalloc's 40 main counters cost beside jemalloc's own refresh of its statistics, which it contains, and beside
// what Node offers? The arms take turns in short rounds inside one process under jemalloc; the addition is the median of the
// differences within each round.
//
//   npm run bench:sample [-- --rounds N] [-- --write]     --write: also into bench/results/sample.md
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const CALLS = 50;
const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '600' }, write: { type: 'boolean' }, inside: { type: 'boolean' } },
});

if (!options.inside) {
  const jem = join(root, 'dist', 'cli', 'main.cjs');
  const run = [jem, 'run', '--fallback', 'fail', '--', process.execPath];
  const { status } = spawnSync(process.execPath, [...run, import.meta.filename, '--inside', ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}

const { jemalloc } = await import('../../dist/control/mallctl/jemalloc.js');
const { MAIN_COUNTER_KEYS } = await import('../../dist/model/main-counters.js');
const { mallctlAddon } = await import('../../dist/native.js');
const { openMallctlSampler } = await import('../../dist/sources/mallctl/sampler.js');

const loadBefore = loadavg()[0].toFixed(1);
const sampler = openMallctlSampler();
const addon = mallctlAddon();
if (!sampler) throw new Error('jemalloc is not in this process');
const keys = MAIN_COUNTER_KEYS.slice(1);

const ARMS = {
  'sampler.sample(): refresh and 40 counters': () => sampler.sample(),
  'jemalloc’s epoch refresh alone': () => addon.mallctlRefresh(),
  'the same counters, refresh and calls by name': () => {
    addon.mallctlRefresh();
    for (const key of keys) jemalloc.readNumber(key);
  },
  'process.memoryUsage()': () => process.memoryUsage(),
  'process.memoryUsage.rss()': () => process.memoryUsage.rss(),
};
const [SAMPLE, REFRESH] = Object.keys(ARMS);

function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function timeRound(call) {
  const started = process.hrtime.bigint();
  for (let at = 0; at < CALLS; at++) call();
  return Number(process.hrtime.bigint() - started) / CALLS;
}

for (const call of Object.values(ARMS)) for (let at = 0; at < 2000; at++) call();
const times = Object.fromEntries(Object.keys(ARMS).map((name) => [name, []]));
for (let round = 0; round < Number(options.rounds); round++) {
  // Every other round backwards: what one arm leaves in the caches is not always the same one's gain.
  const names = round % 2 === 0 ? Object.keys(ARMS) : Object.keys(ARMS).reverse();
  for (const name of names) times[name].push(timeRound(ARMS[name]));
}

const added = times[SAMPLE].map((time, round) => time - times[REFRESH][round]);
const refresh = quantile(times[REFRESH], 0.5);
const microseconds = (nanoseconds) => (nanoseconds / 1000).toFixed(2);
const spread = (values) => `${microseconds(quantile(values, 0.25))} to ${microseconds(quantile(values, 0.75))}`;

// Outside the timed part: how much a sample leaves to be collected.
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
for (let at = 0; at < 100_000; at++) sampler.sample();
const perSample = (process.memoryUsage().heapUsed - before) / 100_000;

const report = [
  '| what | least disturbed tenth, µs | median µs | quartiles | median against the refresh |',
  '|---|---|---|---|---|',
  ...Object.entries(times).map(
    ([name, values]) =>
      `| ${name} | ${microseconds(quantile(values, 0.1))} | ${microseconds(quantile(values, 0.5))} | ${spread(values)} | ${(quantile(values, 0.5) / refresh).toFixed(2)} |`,
  ),
  '',
  `The sampler adds ${microseconds(quantile(times[SAMPLE], 0.1) - quantile(times[REFRESH], 0.1))} µs to the refresh in the least disturbed tenth, and a median of ${microseconds(quantile(added, 0.5))} µs over all rounds (quartiles ${spread(added)}); at most 1 µs is wanted. A sample leaves ${perSample.toFixed(1)} bytes in V8's heap.`,
  '',
  `- load average before: ${loadBefore}; ${options.rounds} rounds of ${CALLS} calls per arm, taking turns`,
  `- ${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release().split('.').slice(0, 2).join('.')}, Node ${process.version}, jemalloc ${jemalloc.read('version')?.split('-')[0]}, MALLOC_CONF=${process.env.MALLOC_CONF ?? ''}`,
].join('\n');
console.log(report);

if (options.write) {
  const file = join(root, 'bench', 'results', 'sample.md');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, `# The cost of a sample\n\n\`npm run bench:sample -- --write\`\n\n${report}\n`);
  renameSync(`${file}.tmp`, file);
}
