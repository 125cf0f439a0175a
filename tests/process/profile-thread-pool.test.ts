import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameAt, type HeapProfile, stackFrames } from '../../src/model/heap-profile.js';
import { readHeapProfile } from '../../src/sources/heap-dump/read-profile.js';
import { AGENT } from '../support/launching.js';
import { PROFILE_HOOK } from '../support/profiled-program.js';
import { jemallocLibrary, NODE_MAJORS, nodeBinary, runProgram, temporaryFolder } from '../support/programs.js';

/** Work for the pool that holds memory afterwards: compressors, their output, keys, a directory's names, an address. */
const APP = `
  const zlib = require('node:zlib'), crypto = require('node:crypto'), fs = require('node:fs'), dns = require('node:dns');
  const kept = [], page = crypto.randomBytes(200_000);
  function compressPage() { return new Promise((done) => { const gzip = zlib.createGzip({ memLevel: 9 }); kept.push(gzip);
    gzip.on('data', (data) => kept.push(data)); gzip.write(page, () => done()); }); }
  function deriveKey() { return new Promise((done) => crypto.scrypt('a', 'b', 64, { N: 4096 }, (_, key) => { kept.push(key); done(); })); }
  function listFolder() { return new Promise((done) => fs.readdir('/usr/bin', (_, names) => { kept.push(names); done(); })); }
  function askForName() { return new Promise((done) => dns.lookup('localhost', (_, found) => { kept.push(found); done(); })); }
  function cancelled() { for (let at = 0; at < 50; at++) crypto.scrypt('a', 'b', 64, { N: 4096 }, () => {}); }
  (async () => {
    for (let at = 0; at < 40; at++) await Promise.all([compressPage(), deriveKey(), listFolder(), askForName()]);
    const { Worker } = require('node:worker_threads');
    // Its requests are cancelled when it ends.
    const worker = new Worker("const crypto = require('node:crypto'); (" + cancelled + ")(); process.exit(0)", { eval: true });
    await new Promise((done) => worker.on('exit', done));
    console.log('kept', kept.length > 160);
  })();
`;

/** Live bytes of the stacks that pass. */
function bytesOf(
  profile: HeapProfile,
  passes: (names: readonly string[], kinds: readonly string[]) => boolean,
): number {
  const { samples } = profile;
  let bytes = 0;
  for (let at = 0; at < samples.count; at++) {
    const frames = Array.from(stackFrames(profile, samples.stack[at]!), (frame) => frameAt(profile, frame));
    const passed = passes(
      frames.map(({ name }) => name),
      frames.map(({ kind }) => kind),
    );
    if (passed) bytes += samples.liveBytes[at]!;
  }
  return bytes;
}

async function capture(major: (typeof NODE_MAJORS)[number], threadPool: boolean): Promise<HeapProfile> {
  const folder = temporaryFolder('jemkit-pool-');
  const [script, path] = [join(folder, 'app.cjs'), join(folder, 'app.heap')];
  writeFileSync(script, APP);
  const finished = await runProgram(nodeBinary(major), ['--require', PROFILE_HOOK, script], {
    env: {
      LD_PRELOAD: `${jemallocLibrary()} ${AGENT}`,
      MALLOC_CONF: 'prof:true,prof_active:true,lg_prof_sample:14',
      JEMKIT_PROFILE: '1',
      JEMKIT_PROFILE_THREAD_POOL: threadPool ? '1' : undefined,
      JEMKIT_PROFILE_AT_EXIT: path,
    },
    timeoutMs: 60_000,
  });
  expect(finished).toMatchObject({ code: 0, stdout: 'kept true\n', stderr: '' });
  return readHeapProfile(path);
}

test.each(NODE_MAJORS)('work of the thread pool is put down to who asked for it, on Node %i', async (major) => {
  const profile = await capture(major, true);
  const carried = bytesOf(profile, (names) => {
    const mark = names.indexOf('(asynchronous)');
    return mark > 0 && names.slice(mark).includes('compressPage');
  });
  const total = bytesOf(profile, () => true);
  // zlib's windows and tables, 256 KiB each, which it allocates when it first works.
  expect(carried).toBeGreaterThan(5 * 2 ** 20);
  expect(carried / total).toBeGreaterThan(0.25);
  // What Node itself needs to start is left, and no thread's work.
  const lost = bytesOf(profile, (_, kinds) => !kinds.some((kind) => kind.endsWith('javascript')));
  expect(lost / total).toBeLessThan(0.2);
});

test('without it they end where the thread began, and nothing is guessed', async () => {
  const profile = await capture(20, false);
  expect(bytesOf(profile, (names) => names.includes('(asynchronous)'))).toBe(0);
  const byPool = bytesOf(profile, (names) => names.every((name) => name !== 'compressPage'));
  expect(byPool).toBeGreaterThan(5 * 2 ** 20);
});
