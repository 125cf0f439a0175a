// How long does a dump of 100,000 stacks take to read, and how much memory? The dump has jemalloc's own shape: stacks of 20 to 60 frames that share
// their outer part as a program's do, counts of the sum and of a thread, a list of mapped files. Each reading is a process of its own.
//
//   npm run bench:parse-profile [-- --stacks N] [-- --rounds N] [-- --write]     --write: also into bench/results/parse-profile.md
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const { values: options } = parseArgs({
  options: {
    stacks: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '7' },
    write: { type: 'boolean' },
    read: { type: 'string' },
  },
});

const LIMITS = { seconds: 2, megabytes: 300 };

if (options.read !== undefined) await readOnce(options.read);
else await compare();

/** The child: one reading, with what the process had grown by at its peak. */
async function readOnce(path) {
  const { readHeapProfile } = await import('../../dist/sources/heap-dump/read-profile.js');
  const status = () => readFileSync('/proc/self/status', 'latin1');
  const kilobytes = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status())[1]);
  // The peak counts from here on.
  writeFileSync('/proc/self/clear_refs', '5');
  const before = kilobytes('VmRSS');
  const cpuBefore = process.cpuUsage();
  const started = process.hrtime.bigint();
  const profile = await readHeapProfile(path);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { user, system } = process.cpuUsage(cpuBefore);
  const grown = (kilobytes('VmHWM') - before) / 1024;
  const { stacks, frames, samples } = profile;
  const counts = { stacks: stacks.count, entries: stacks.frames.length, frames: frames.count, samples: samples.count };
  console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, grown, ...counts }));
}

async function compare() {
  const folder = mkdtempSync(join(tmpdir(), 'jemkit-parse-'));
  try {
    const dump = join(folder, 'large.heap');
    writeDump(dump, Number(options.stacks));
    const loadBefore = loadavg()[0].toFixed(1);
    const { readHeapProfile } = await import('../../dist/sources/heap-dump/read-profile.js');
    const { encodePprof } = await import('../../dist/outputs/pprof/encode-pprof.js');
    const { gzipSync } = await import('node:zlib');
    const saved = join(folder, 'large.pb.gz');
    const profile = await readHeapProfile(dump);
    const started = process.hrtime.bigint();
    const encoded = encodePprof(profile);
    const encodeSeconds = Number(process.hrtime.bigint() - started) / 1e9;
    writeFileSync(saved, gzipSync(encoded, { level: 1 }));
    const rows = [measure('jemalloc’s dump', dump), measure('the same as .pb.gz', saved)];
    report(rows, encodeSeconds, encoded.length, loadBefore);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measure(name, path) {
  const runs = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, '--read', path], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    runs.push(JSON.parse(stdout));
  }
  const median = (key) => runs.map((run) => run[key]).sort((one, other) => one - other)[Math.floor(runs.length / 2)];
  const largest = (key) => Math.max(...runs.map((run) => run[key]));
  return {
    name,
    megabytes: statSync(path).size / 1e6,
    seconds: median('seconds'),
    slowest: largest('seconds'),
    cpuSeconds: median('cpuSeconds'),
    grown: largest('grown'),
    ...(runs[0] && { stacks: runs[0].stacks, entries: runs[0].entries, frames: runs[0].frames }),
  };
}

function report(rows, encodeSeconds, encodedBytes, loadBefore) {
  const [dump] = rows;
  const text = [
    '# Reading a large heap profile',
    '',
    '`npm run bench:parse-profile -- --write`',
    '',
    '| what | file, MB | median s | slowest s | median CPU s | largest growth of RSS, MiB |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      ({ name, megabytes, seconds, slowest, cpuSeconds, grown }) =>
        `| ${name} | ${megabytes.toFixed(1)} | ${seconds.toFixed(2)} | ${slowest.toFixed(2)} | ${cpuSeconds.toFixed(2)} | ${grown.toFixed(0)} |`,
    ),
    '',
    `${dump.stacks} stacks with ${dump.entries} entries of ${dump.frames} frames. Wanted for the dump: under ${LIMITS.seconds} s and ${LIMITS.megabytes} MiB. ` +
      `Encoding it as pprof took ${encodeSeconds.toFixed(2)} s (${(encodedBytes / 1e6).toFixed(1)} MB before gzip).`,
    '',
    `- load average before: ${loadBefore}; ${options.rounds} readings each, in a process of their own; RSS is VmHWM after a reset of it, less VmRSS before`,
    `- ${cpus().length} × ${cpus()[0].model.trim()}, Linux ${release().replace(/^(\d+\.\d+).*/, '$1')}, Node ${process.version}`,
    '',
  ].join('\n');
  console.log(text);
  if (options.write) {
    const path = join(root, 'bench', 'results', 'parse-profile.md');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }
  if (dump.seconds > LIMITS.seconds || dump.grown > LIMITS.megabytes) process.exitCode = 1;
}

/** Stacks grow out of each other as calls do: each takes the outer part of an earlier one and goes its own way from there. */
function writeDump(path, count) {
  const random = seeded(7);
  const bases = [0x55d3fe000000, 0x7f45d0000000, 0x7f45e2000000, 0x7f45f4000000];
  const sites = Array.from({ length: 60_000 }, () => {
    const base = bases[Math.floor(random() ** 2 * bases.length)];
    return `0x${(base + Math.floor(random() * 0x3000000)).toString(16)}`;
  });
  const site = () => sites[Math.floor(random() ** 2 * sites.length)];
  const file = openSync(path, 'wx', 0o600);
  const earlier = [];
  let text = 'heap_v2/524288\n  t*: 1000000: 9000000000 [0: 0]\n  t0: 1000000: 9000000000 [0: 0] main\n';
  for (let at = 0; at < count; at++) {
    const depth = 20 + Math.floor(random() * 41);
    const parent = earlier[Math.floor(random() * earlier.length)] ?? [];
    // Outermost first while it is made; jemalloc writes the innermost first.
    const stack = parent.slice(0, Math.floor(random() * Math.min(parent.length, depth - 1)));
    while (stack.length < depth) stack.push(site());
    if (earlier.length < 2000) earlier.push(stack);
    else earlier[Math.floor(random() * 2000)] = stack;
    const objects = 1 + Math.floor(random() ** 4 * 500);
    const counts = `${objects}: ${objects * (16 + Math.floor(random() ** 3 * 100_000))} [0: 0]`;
    text += `@ ${stack.toReversed().join(' ')}\n  t*: ${counts}\n  t0: ${counts}\n`;
    if (text.length > 1e6) {
      writeSync(file, text);
      text = '';
    }
  }
  text += '\nMAPPED_LIBRARIES:\n';
  bases.forEach((base, at) => {
    const size = 0x3000000;
    text += `${base.toString(16)}-${(base + size).toString(16)} r-xp 00000000 08:01 ${at + 100}    /srv/lib${at}.so\n`;
  });
  writeSync(file, text);
  closeSync(file);
}

/** The same numbers each time (mulberry32). */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
