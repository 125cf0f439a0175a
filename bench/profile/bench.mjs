// What does it cost to profile? One fastify server, which answers with gzipped JSON, is profiled in several ways that take turns in short slices of requests; the
// ratios of processor time per request are taken within each round of slices, so that they are of the same process with the same compiled code:
//   profiling compiled in but off · jemalloc's own walk · jemkit's walk, which listens to V8's code events · nobody walks: what jemalloc itself takes for a sample.
// Then the same for a loop that only allocates, and the time of one walk on the same stacks.
//
//   npm run bench:profile [-- --restarts 4] [-- --rounds 40] [-- --node FILE] [-- --native FOLDER] [-- --write]
//                                                              --write: also into bench/results/profile.md
//                                                              --native: where jemkit.node and libjemkit.so are; else prebuilds/
//
// Needs a C compiler and the headers of Node-API and jemalloc. Processor time is that of all threads, which the kernel counts in nanoseconds.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, homedir, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const CONNECTIONS = 8;
/** Requests in one slice, so few that whatever else the machine does falls on all arms alike; and those before them that are not counted: what the arm before
 * has left. */
const SLICE = 100;
const SETTLE = 20;
/** The arms of which a ratio is promised alternate alone, too, closer to one another and so much more often. */
const CLOSER = 5;
const { values: options } = parseArgs({
  options: {
    restarts: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '40' },
    node: { type: 'string', default: process.execPath },
    native: { type: 'string', default: join(root, 'prebuilds', `linux-${process.arch}-glibc`) },
    write: { type: 'boolean' },
  },
});
const rounds = Number(options.rounds);
const restarts = Number(options.restarts);

const WALK = { jemalloc: 0, jemkit: 1, nobody: 2, inTurns: 3 };
const OFF = 'compiled in, off';
const OWN = 'lg 19, jemalloc’s walk';
const DEFAULT = 'lg 19, jemkit’s walk (the default)';
const PROMISED = [
  { name: OFF },
  { name: OWN, lg: 19, walk: WALK.jemalloc },
  { name: DEFAULT, lg: 19, walk: WALK.jemkit },
];
const ARMS = [
  ...PROMISED,
  { name: 'off again, for the noise' },
  { name: 'lg 19, nobody walks', lg: 19, walk: WALK.nobody },
  { name: 'lg 17, jemalloc’s walk', lg: 17, walk: WALK.jemalloc },
  { name: 'lg 17, jemkit’s walk', lg: 17, walk: WALK.jemkit },
  { name: 'lg 20, jemkit’s walk', lg: 20, walk: WALK.jemkit },
  { name: 'lg 21, jemkit’s walk', lg: 21, walk: WALK.jemkit },
];
/** Places in PROMISED, and the most that the ratio may be. */
const TARGETS = [
  { of: 2, to: 1, atMost: 1.01 },
  { of: 2, to: 0, atMost: 1.05 },
];
const LOOPS = [
  { bytes: 8192, count: 10_000 },
  { bytes: 65_536, count: 2_000 },
];

/** They are no dependencies of jemkit, so they live outside the checkout. */
const PACKAGES = { fastify: '5.6.2', autocannon: '8.0.0' };
const modules = process.env.JEMKIT_BENCH_MODULES ?? join(homedir(), '.cache', 'jemkit-dev', 'bench-observe');

function setUpModules() {
  const isThere = ([name, version]) => {
    const manifest = join(modules, 'node_modules', name, 'package.json');
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version;
  };
  if (Object.entries(PACKAGES).every(isThere)) return;
  mkdirSync(modules, { recursive: true });
  if (!existsSync(join(modules, 'package.json'))) writeFileSync(join(modules, 'package.json'), '{ "private": true }\n');
  const names = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  const args = [
    'install',
    '--prefix',
    modules,
    '--save-exact',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...names,
  ];
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) stop(`npm could not install ${names.join(' and ')}`, `npm ${args.join(' ')}`);
}

function stop(message, hint) {
  console.error(`${message}\n  hint: ${hint}`);
  process.exit(3);
}

const folder = mkdtempSync(join(tmpdir(), 'jemkit-bench-'));

function compileWalks() {
  const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers');
  const output = join(folder, 'walks.node');
  const args = ['-O2', '-shared', '-fPIC', '-fno-omit-frame-pointer', '-isystem', headers, '-o', output];
  const { status } = spawnSync(process.env.CC || 'cc', [...args, join(import.meta.dirname, 'walks.c')], {
    stdio: 'inherit',
  });
  if (status !== 0) stop('walks.c does not compile', 'apt-get install -y gcc libc6-dev libjemalloc-dev');
  return output;
}

setUpModules();
const autocannon = createRequire(join(modules, 'node_modules', 'x.js'))('autocannon');
const { findProfilingLibrary } = await import('../../dist/control/profiling/find-profiling-library.js');
const library = findProfilingLibrary(process.env);
if (!library) stop('no jemalloc with profiling', 'apt-get install -y libjemalloc2');
const walks = compileWalks();

/** Starts the server as `jem run` does; gives what asks it. */
async function start(at) {
  const socket = join(folder, `${at}.sock`);
  const args = [join(import.meta.dirname, 'server.mjs'), socket, join(options.native, 'jemkit.node'), walks];
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    JEMKIT_BENCH_MODULES: modules,
    JEMKIT_AGENT_DIR: folder,
    LD_PRELOAD: `${library} ${join(options.native, 'libjemkit.so')}`,
    MALLOC_CONF: 'background_thread:true,prof:true,prof_active:false',
  };
  const child = spawn(options.node, args, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const answers = [];
  child.on('message', (answer) => answers.shift()?.resolve(answer));
  child.once('exit', (code, signal) => {
    const ended = new Error(`the server ended with ${code ?? signal}`);
    if (answers.length === 0 && signal !== 'SIGKILL') throw ended;
    for (const { reject } of answers) reject(ended);
  });
  const next = () => new Promise((resolve, reject) => answers.push({ resolve, reject }));
  await next();
  return {
    pid: child.pid,
    socket,
    ask(ask, rest = {}) {
      child.send({ ask, ...rest });
      return next();
    },
    close: () => child.kill('SIGKILL'),
  };
}

/** Processor time of all threads there are. */
function cpuNanos(pid) {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return sum;
}

/** Sends requests; gives the processor time for each that was counted, in microseconds. */
function send({ pid, socket }) {
  return new Promise((resolve, reject) => {
    let answers = 0;
    let before = 0;
    const load = autocannon(
      { url: 'http://localhost/items', socketPath: socket, connections: CONNECTIONS, amount: SETTLE + SLICE },
      (error) => error && reject(error),
    );
    load.on('reqError', reject);
    load.on('response', (_client, status) => {
      if (status !== 200) reject(new Error(`the server answered with ${status}`));
      if (++answers === SETTLE) before = cpuNanos(pid);
      if (answers === SETTLE + SLICE) resolve((cpuNanos(pid) - before) / SLICE / 1000);
    });
  });
}

/** Each arm in turn, each round beginning with the next one; what `measure` gives is put into `figures`, by arm. */
async function takeTurns(server, arms, turns, measure, figures) {
  for (let round = 0; round < turns; round++) {
    for (let step = 0; step < arms.length; step++) {
      const at = (round + step) % arms.length;
      await server.ask('arm', arms[at]);
      figures[at].push(await measure(server));
    }
  }
}

const loadBefore = loadavg()[0].toFixed(1);
const requests = ARMS.map(() => []);
const promised = PROMISED.map(() => []);
const sampled = ARMS.map(() => 0);
const loops = LOOPS.map((loop) => ({ ...loop, figures: ARMS.map(() => []) }));
const WALKS = ['the main thread', 'the thread pool'].flatMap((where, thread) => [
  { name: `${where}, jemalloc’s walk`, thread, walk: WALK.jemalloc, times: [], frames: [] },
  { name: `${where}, jemkit’s walk`, thread, walk: WALK.jemkit, times: [], frames: [] },
]);
try {
  for (let life = 0; life < restarts; life++) {
    const server = await start(life);
    try {
      // Until V8 has compiled what it will.
      for (let at = 0; at < 40; at++) await send(server);
      await takeTurns(server, PROMISED, rounds * CLOSER, send, promised);
      await takeTurns(server, ARMS, rounds, send, requests);
      for (const [at, arm] of ARMS.entries()) {
        if (arm.walk !== WALK.jemkit) continue;
        await server.ask('arm', arm);
        const { samples } = await server.ask('state');
        for (let slice = 0; slice < 8; slice++) await send(server);
        sampled[at] += ((await server.ask('state')).samples - samples) / (8 * (SLICE + SETTLE)) / restarts;
      }
      await server.ask('arm', { lg: 19, walk: WALK.inTurns });
      for (let slice = 0; slice < 50; slice++) await send(server);
      const row = (await server.ask('times')).times;
      for (let at = 0; at < row.length; at += 4) {
        const walks = WALKS.find(({ walk, thread }) => walk === row[at] && thread === row[at + 1]);
        walks.times.push(row[at + 2]);
        walks.frames.push(row[at + 3]);
      }
      for (const { bytes, count, figures } of loops) {
        const allocate = async () => (await server.ask('allocate', { bytes, count })).micros / count;
        for (let at = 0; at < 3; at++) await allocate();
        await takeTurns(server, ARMS, rounds * 3, allocate, figures);
      }
    } finally {
      server.close();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const quantile = (values, share) => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  return sorted[Math.floor(at)] + (sorted[Math.ceil(at)] - sorted[Math.floor(at)]) * (at % 1);
};
const spread = (values, digits) =>
  `${quantile(values, 0.5).toFixed(digits)} (${quantile(values, 0.25).toFixed(digits)} to ${quantile(values, 0.75).toFixed(digits)})`;
/** Where the true median lies with 95 % probability, by the order of the values alone. */
const certainty = (values) => {
  const half = 0.98 / Math.sqrt(values.length);
  return [quantile(values, Math.max(0, 0.5 - half)), quantile(values, Math.min(1, 0.5 + half))];
};
const ratios = (figures, of, to) => figures[of].map((value, round) => value / figures[to][round]);

const verdicts = TARGETS.map(({ of, to, atMost }) => {
  const values = ratios(promised, of, to);
  const [low, high] = certainty(values);
  const verdict = high <= atMost ? 'met' : low > atMost ? '**not met**' : 'not decided by these rounds';
  return {
    line: `| ${PROMISED[of].name} / ${PROMISED[to].name} | ${spread(values, 3)} | ${low.toFixed(3)} to ${high.toFixed(3)} | ${atMost} | ${verdict} |`,
    missed: low > atMost,
  };
});
const cores = cpus();
const nodeVersion = spawnSync(options.node, ['--version'], { encoding: 'utf8' }).stdout.trim();
const report = [
  '# What it costs to profile',
  '',
  'Processor time per request of a fastify server that answers with gzipped JSON, all threads together; medians, with quartiles in brackets. Ratios are to *compiled in, off* within a round, in the same process. V8’s code events are listened to in all arms, so what that takes while V8 compiles is in none of the ratios.',
  '',
  '| | µs per request | ratio | true median (95 %) | samples per request |',
  '|---|---|---|---|---|',
  ...ARMS.map(({ name }, at) => {
    const ratio = ratios(requests, at, 0);
    const [low, high] = certainty(ratio);
    const of = at === 0 ? '1 | ' : `${spread(ratio, 3)} | ${low.toFixed(3)} to ${high.toFixed(3)}`;
    return `| ${name} | ${spread(requests[at], 1)} | ${of} | ${sampled[at] ? sampled[at].toFixed(2) : '-'} |`;
  }),
  '',
  '| wanted | ratio | true median (95 %) | at most | |',
  '|---|---|---|---|---|',
  ...verdicts.map(({ line }) => line),
  '',
  'One walk at lg 19, by the clock, on the stacks of the same server as they come (the processor’s caches are cold by then):',
  '',
  '| | walks | µs | frames |',
  '|---|---|---|---|',
  ...WALKS.map(
    ({ name, times, frames }) =>
      `| ${name} | ${times.length} | ${spread(
        times.map((time) => time / 1000),
        1,
      )} | ${quantile(frames, 0.5)} |`,
  ),
  '',
  'A loop that only allocates Buffers (`allocUnsafeSlow`) and drops them, processor time for each, garbage collection included:',
  '',
  `| | ${loops.map(({ bytes }) => `${bytes / 1024} KiB, µs | ratio`).join(' | ')} |`,
  `|---|${'---|---|'.repeat(loops.length)}`,
  ...ARMS.map(
    ({ name }, at) =>
      `| ${name} | ${loops.map(({ figures }) => `${spread(figures[at], 2)} | ${at === 0 ? 1 : spread(ratios(figures, at, 0), 3)}`).join(' | ')} |`,
  ),
  '',
  `${restarts} starts of the server, ${rounds} rounds in each (${rounds * CLOSER} of the wanted ratios, ${rounds * 3} of the loop), ${SLICE} requests in each slice over ${CONNECTIONS} connections. The quartiles are those of single slices and show how restless the machine was; what is claimed is the median, and the 95 % are its bounds.`,
  '',
  `Machine: ${cores.length} × ${cores[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('.').slice(0, 2).join('.')}, load before ${loadBefore}; the load generator shares its processors. Node ${nodeVersion}, fastify ${PACKAGES.fastify}, autocannon ${PACKAGES.autocannon}, ${library.split('/').at(-1)}.`,
  '',
  `Command: \`npm run bench:profile -- --restarts ${restarts} --rounds ${rounds}\``,
  '',
].join('\n');

console.log(report);
if (options.write) {
  const file = join(root, 'bench', 'results', 'profile.md');
  writeFileSync(`${file}.tmp`, report);
  renameSync(`${file}.tmp`, file);
}
process.exit(verdicts.some(({ missed }) => missed) ? 1 : 0);
