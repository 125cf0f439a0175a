// Does the profiler harm its host, or name a function wrongly, whatever the program does? Rounds of a minute or less, on each Node version in turn: a program that does at once what
// programs do (program/activities.cjs), sampled each KiB, while captures are taken from outside and from inside. Fails on a crash, a hang, another exit code
// than the program's own, and memory that stands under a function that does not hold it.
//
//   npm run stress:profile [-- --minutes N | --seconds N] [-- --round-seconds N] [-- --node MAJOR]… [-- --seed N] [-- --arm NAME]… [-- --only ACTIVITY]…
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { NODE_MAJORS, nodesFolder, packagesFolder } from '../../scripts/setup-tests.mjs';
import { runRound } from './run-round.mjs';

const root = join(import.meta.dirname, '..', '..');
const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seconds: { type: 'string' },
    'round-seconds': { type: 'string', default: '20' },
    node: { type: 'string', multiple: true },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    arm: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
  },
});

/** Ways to run: V8's options, who starts the profiler, and whether askers are carried into the thread pool. */
const ARMS = {
  plain: { flags: [], start: 'environment' },
  'thread-pool': { flags: [], start: 'environment', threadPool: true },
  switching: { flags: [], start: 'library' },
  'from-outside': { flags: [], start: 'agent' },
  compaction: { flags: ['--expose-gc', '--stress-compaction'], start: 'environment' },
  baseline: { flags: ['--expose-gc', '--always-sparkplug'], start: 'environment' },
  interpreted: { flags: ['--expose-gc', '--no-opt', '--no-sparkplug'], start: 'library' },
  'small-stack': { flags: ['--stack-size=300'], start: 'environment', threadPool: true },
};
/** Then something is wrong with every round. */
const MOST_FAILURES = 5;
const ENDS = ['exit', 'natural', 'throw', 'signal'];

function nodeBinary(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  return join(nodesFolder, 'node_modules', `node${major}`, 'bin', 'node');
}

function jemallocLibrary() {
  const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch];
  return process.env.JEMKIT_TEST_LIBRARY ?? `/usr/lib/${triplet}/libjemalloc.so.2`;
}

/** An add-on as those are that people forget: no unwind tables, no frame pointers. */
function buildAddon(folder) {
  const path = join(folder, 'stress.node');
  const flags = [
    '-std=c11',
    '-O2',
    '-shared',
    '-fPIC',
    '-fomit-frame-pointer',
    '-fno-asynchronous-unwind-tables',
    '-fno-unwind-tables',
  ];
  const headers = join(root, 'node_modules', 'node-api-headers', 'include');
  const source = join(import.meta.dirname, 'program', 'addon.c');
  const { status, stderr } = spawnSync('cc', [...flags, '-I', headers, source, '-o', path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cc: ${stderr}`);
  return path;
}

/** Where the tests' packages are set up. */
const sharp = join(packagesFolder, 'node_modules', 'sharp');
const sharpPath = existsSync(sharp) ? sharp : undefined;
const majors = (options.node ?? NODE_MAJORS.map(String)).filter((major) => existsSync(nodeBinary(major)));
const arms = options.arm ?? Object.keys(ARMS);
const unknown = arms.find((name) => !Object.hasOwn(ARMS, name));
if (majors.length === 0 || unknown !== undefined) {
  console.error(
    unknown === undefined
      ? 'No such Node: npm test sets them up'
      : `no arm '${unknown}': ${Object.keys(ARMS).join(', ')}`,
  );
  process.exit(2);
}
const seed = Number(options.seed);
const wholeMs = options.seconds === undefined ? Number(options.minutes) * 60_000 : Number(options.seconds) * 1000;
const started = Date.now();
const totals = {};
let rounds = 0;
let failures = 0;
const shared = mkdtempSync(join(tmpdir(), 'jemkit-stress-'));
const addonPath = buildAddon(shared);
console.log(`seed ${seed}, Node ${majors.join(', ')}, ${Math.round(wholeMs / 1000)} s`);
while (Date.now() - started < wholeMs && failures < MOST_FAILURES) {
  const left = (wholeMs - (Date.now() - started)) / 1000;
  const major = majors[rounds % majors.length];
  // Each version meets each arm, and each arm each end.
  const arm = arms[((rounds % majors.length) + Math.floor(rounds / majors.length)) % arms.length];
  const end = ENDS[Math.floor(rounds / 3) % ENDS.length];
  const seconds = Math.max(3, Math.min(Number(options['round-seconds']), left));
  const folder = mkdtempSync(join(shared, 'round-'));
  const round = {
    folder,
    node: nodeBinary(major),
    seconds,
    seed: seed + rounds,
    addonPath,
    sharpPath,
    end,
    only: options.only,
    ...ARMS[arm],
  };
  const began = Date.now();
  const { wrong, counts, held, captures } = await runRound({
    pauseMs: 2000,
    library: jemallocLibrary(),
    agent: join(root, 'prebuilds', `linux-${process.arch}-glibc`, 'libjemkit.so'),
    ...round,
  });
  rounds++;
  for (const [name, count] of Object.entries({ ...counts, captures, held }))
    totals[name] = (totals[name] ?? 0) + (count ?? 0);
  const what = `Node ${major}, ${arm}, end by ${end}, seed ${round.seed}, ${((Date.now() - began) / 1000).toFixed(1)} s: ${captures} captures, ${held} blocks checked`;
  if (wrong.length === 0) {
    console.log(`ok    ${what}`);
    rmSync(folder, { recursive: true, force: true });
  } else {
    failures++;
    console.log(`WRONG ${what}; left in ${folder}\n  ${wrong.join('\n  ')}`);
  }
}
console.log(
  `${rounds} rounds in ${Math.round((Date.now() - started) / 1000)} s, ${failures} of them wrong; ${JSON.stringify(totals)}`,
);
if (failures === 0) rmSync(shared, { recursive: true, force: true });
process.exitCode = failures === 0 ? 0 : 1;
