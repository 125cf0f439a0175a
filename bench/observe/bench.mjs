// What does it cost a server to be observed? The same fastify server runs four times at once; they take turns in short slices of the same number
// of requests, while the others are idle, and the ratios are taken within each round of many slices:
//   jemalloc only · with the agent, which nobody asks · with the agent, sampled once a second over its socket · with jemkit's own
//   sampler once a second inside the process.
//
//   npm run bench:observe [-- --rounds 10] [-- --restarts 6] [-- --requests 10000] [-- --write]
//                                                              --write: also into bench/results/observe.md
//
// What V8 makes of a program differs from start to start by more than what is measured here, so the servers are started anew several times.
// The server and what loads it share the machine's processors, so throughput is what is left to the server; its processor time per
// request, which it counts itself over all its threads, is the steadier of the two.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { cpus, homedir, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const jem = join(root, 'dist', 'cli', 'main.cjs');
const TARGET = 0.99;
const CONNECTIONS = 16;
/** Requests in one go: so few that whatever else the machine does falls on all servers alike. */
const SLICE = 500;
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    restarts: { type: 'string', default: '6' },
    requests: { type: 'string', default: '10000' },
    write: { type: 'boolean' },
  },
});
const rounds = Number(options.rounds);
const restarts = Number(options.restarts);
const requests = Number(options.requests);

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
  if (status !== 0) {
    console.error(`npm could not install ${names.join(' and ')}\n  hint: npm ${args.join(' ')}`);
    process.exit(3);
  }
}

setUpModules();
const autocannon = createRequire(join(modules, 'node_modules', 'x.js'))('autocannon');
const { openAgent } = await import('../../dist/sources/agent/open-agent.js');

const folder = mkdtempSync(join(tmpdir(), 'jemkit-bench-'));
const ARMS = [
  { name: 'jemalloc only', option: '--no-agent' },
  { name: 'with the agent, idle', option: '--agent' },
  { name: 'with the agent, sampled at 1 Hz over the socket', option: '--agent', sampled: true },
  { name: 'sampler of the library at 1 Hz, in the process', option: '--no-agent', inside: 'sample' },
];

function ask(socketPath, path) {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    })
      .on('error', reject)
      .end();
  });
}

function start(arm, at) {
  const socket = join(folder, `${at}.sock`);
  rmSync(socket, { force: true });
  const server = [join(import.meta.dirname, 'server.mjs'), socket, ...(arm.inside ? [arm.inside] : [])];
  const args = [jem, 'run', '--fallback', 'fail', arm.option, '--', process.execPath, ...server];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, NODE_ENV: 'production', JEMKIT_BENCH_MODULES: modules, JEMKIT_AGENT_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve({ ...arm, socket, child }));
    child.once('exit', (code) => reject(new Error(`the server "${arm.name}" ended with ${code}`)));
  });
}

async function agentOf(pid) {
  for (const until = Date.now() + 10_000; ; ) {
    const opening = await openAgent(pid);
    if (opening.kind === 'open') return opening.agent;
    if (Date.now() > until) throw new Error(`no agent in ${pid}: ${JSON.stringify(opening)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sends requests; gives the seconds until the last answer, which autocannon itself would tell in whole ones. */
function send(socketPath) {
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    let answers = 0;
    const load = autocannon(
      { url: 'http://localhost/items', socketPath, connections: CONNECTIONS, amount: SLICE },
      (error) => error && reject(error),
    );
    load.on('reqError', reject);
    load.on('response', (_client, status) => {
      if (status !== 200) reject(new Error(`the server answered with ${status}`));
      if (++answers === SLICE) resolve(Number(process.hrtime.bigint() - started) / 1e9);
    });
  });
}

/** One slice of a server's turn: the requests, and what it spent on them. */
async function load({ socket }) {
  const before = await ask(socket, '/cpu');
  const seconds = await send(socket);
  const after = await ask(socket, '/cpu');
  return { seconds, micros: after.micros - before.micros, served: after.served - before.served };
}

const quantile = (values, share) => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  return sorted[Math.floor(at)] + (sorted[Math.ceil(at)] - sorted[Math.floor(at)]) * (at % 1);
};

let samples = 0;

/** Samples a server over its socket each second; gives what ends that. */
async function observe(server) {
  const agent = await agentOf(server.child.pid);
  const timer = server.sampled
    ? setInterval(async () => {
        if (await agent.sample()) samples++;
      }, 1000)
    : undefined;
  return () => {
    clearInterval(timer);
    agent.close();
  };
}

/** One life of the four servers: what each turn of each gave, in the order of ARMS. */
async function runServers() {
  const servers = [];
  const closers = [];
  const turns = ARMS.map(() => []);
  try {
    for (const [at, arm] of ARMS.entries()) servers.push(await start(arm, at));
    for (const server of servers.filter(({ option }) => option === '--agent')) closers.push(await observe(server));
    // Until V8 has compiled what it will.
    for (let at = 0; at < 20; at++) for (const server of servers) await load(server);
    for (let round = 0; round < rounds; round++) {
      const sums = ARMS.map(() => ({ seconds: 0, micros: 0, served: 0 }));
      for (let slice = 0; slice * SLICE < requests; slice++) {
        // Each begins in turn, so that none is always behind the same one.
        for (let step = 0; step < servers.length; step++) {
          const at = (slice + step) % servers.length;
          for (const [name, value] of Object.entries(await load(servers[at]))) sums[at][name] += value;
        }
      }
      for (const [at, { seconds, micros, served }] of sums.entries())
        turns[at].push({ throughput: served / seconds, micros: micros / served });
    }
    return turns;
  } finally {
    for (const close of closers) close();
    for (const { child } of servers) {
      child.removeAllListeners('exit');
      child.kill('SIGTERM');
    }
  }
}

const loadBefore = loadavg()[0].toFixed(1);
const servers = ARMS.map(({ name }) => ({ name, throughput: [], micros: [] }));
try {
  for (let life = 0; life < restarts; life++) {
    for (const [at, turns] of (await runServers()).entries()) {
      servers[at].throughput.push(...turns.map(({ throughput }) => throughput));
      servers[at].micros.push(...turns.map(({ micros }) => micros));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const spread = (values, digits) =>
  `${quantile(values, 0.5).toFixed(digits)} (${quantile(values, 0.25).toFixed(digits)} to ${quantile(values, 0.75).toFixed(digits)})`;
const [base, ...others] = servers;
const ratios = others.map((server) => ({
  name: server.name,
  throughput: server.throughput.map((value, round) => value / base.throughput[round]),
  // Turned round, so that both say the same: below 1 is slower.
  micros: server.micros.map((value, round) => base.micros[round] / value),
}));

const cores = cpus();
const report = [
  '# What it costs a server to be observed',
  '',
  'A fastify server that answers with 4 KB of JSON; medians, with quartiles in brackets. Ratios are to *jemalloc only* within a round; below 1 is dearer.',
  '',
  '| | requests per second | processor time per request, µs |',
  '|---|---|---|',
  ...servers.map(({ name, throughput, micros }) => `| ${name} | ${spread(throughput, 0)} | ${spread(micros, 1)} |`),
  '',
  '| | ratio of throughput | ratio of work per processor time |',
  '|---|---|---|',
  ...ratios.map(({ name, throughput, micros }) => `| ${name} | ${spread(throughput, 3)} | ${spread(micros, 3)} |`),
  '',
  `At least ${TARGET} is wanted. ${restarts} starts of the servers, ${rounds} rounds in each, ${requests} requests in each over ${CONNECTIONS} connections, in slices of ${SLICE}; ${samples} samples were taken over the socket meanwhile.`,
  '',
  `Machine: ${cores.length} × ${cores[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('.').slice(0, 2).join('.')}, load before ${loadBefore}; the load generator shares its processors. Node ${process.versions.node}, fastify ${PACKAGES.fastify}, autocannon ${PACKAGES.autocannon}.`,
  '',
  `Command: \`npm run bench:observe -- --rounds ${rounds} --restarts ${restarts} --requests ${requests}\``,
  '',
].join('\n');

console.log(report);
if (options.write) {
  const file = join(root, 'bench', 'results', 'observe.md');
  writeFileSync(`${file}.tmp`, report);
  renameSync(`${file}.tmp`, file);
}
process.exit(ratios.every(({ throughput }) => quantile(throughput, 0.5) >= TARGET) ? 0 : 1);
