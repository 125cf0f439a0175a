import { cpSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Frame, frameAt, type HeapProfile, stackFrames } from '../../src/model/heap-profile.js';
import { encodePng } from '../../src/outputs/png/encode-png.js';
import { openRaster } from '../../src/outputs/png/raster.js';
import { readHeapProfile } from '../../src/sources/heap-dump/read-profile.js';
import { symbolizeProfile } from '../../src/sources/symbols/symbolize-profile.js';
import { AGENT } from '../support/launching.js';
import { PROFILE_HOOK } from '../support/profiled-program.js';
import { jem, jemallocLibrary, type NODE_MAJORS, nodeBinary, temporaryFolder } from '../support/programs.js';
import { openProgram } from '../support/running-program.js';

const PACKAGES = process.env['JEMKIT_TEST_PACKAGES'] ?? join(homedir(), '.cache', 'jemkit-dev', 'packages');
const ROUNDS = 24;
const CLIENTS = 4;

/** A picture that sharp decodes. */
function makePicture(): Uint8Array {
  const raster = openRaster(600, 400, 0x336699);
  raster.fill(20, 20, 300, 200, 0xcc8844);
  return encodePng(raster, deflateSync);
}

/** Every route of the application, a few clients at a time. */
async function load(url: string): Promise<void> {
  const picture = makePicture();
  const ask = async (path: string, body?: Blob | string, type = 'application/json') => {
    const request = body === undefined ? {} : { method: 'POST', body, headers: { 'content-type': type } };
    const response = await fetch(url + path, request);
    const answer = await response.text();
    expect(response.status, answer).toBe(200);
    return answer;
  };
  let left = ROUNDS;
  const client = async () => {
    while (left-- > 0) {
      const round = left;
      await ask(`/articles?from=${round * 10}`);
      await ask(`/export?from=${round}`);
      await ask(`/archive?from=${round}`);
      const { id } = JSON.parse(await ask('/pictures', new Blob([picture as Uint8Array<ArrayBuffer>]), 'image/png'));
      await ask(`/pictures/${id}`);
      await ask('/sessions', JSON.stringify({ name: `somebody ${round}`, password: 'secret' }));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** Runs the application under load, sampled from its first moment to its last, every allocation counted that ever was. */
async function profileApplication(major: (typeof NODE_MAJORS)[number], threadPool: boolean) {
  const folder = temporaryFolder('jemkit-application-');
  const path = join(folder, 'application.heap');
  symlinkSync(join(PACKAGES, 'node_modules'), join(folder, 'node_modules'));
  cpSync(join(import.meta.dirname, '..', 'support', 'profiled', 'application.mjs'), join(folder, 'application.mjs'));
  const program = openProgram(nodeBinary(major), ['--require', PROFILE_HOOK, 'application.mjs'], {
    cwd: folder,
    env: {
      LD_PRELOAD: `${jemallocLibrary()} ${AGENT}`,
      MALLOC_CONF: 'prof:true,prof_active:false,prof_accum:true,lg_prof_sample:14',
      JEMKIT_PROFILE: '1',
      JEMKIT_PROFILE_THREAD_POOL: threadPool ? '1' : undefined,
      JEMKIT_PROFILE_AT_EXIT: path,
      // Node 22 says that its database may change.
      NODE_NO_WARNINGS: '1',
    },
  });
  await load(await program.line());
  const { code, signal, stderr } = await program.end();
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return { path, profile: await symbolizeProfile(await readHeapProfile(path)) };
}

interface Shares {
  readonly bytes: number;
  /** Parts of 1: what has a function of the application or of a package whose name or, for one that has none in its source, whose file and line are known. */
  readonly told: number;
  /** What has one with a name. */
  readonly named: number;
  /** What has none, and is work of libuv's pool. */
  readonly pool: number;
}

const hasName = ({ kind, name }: Frame) => kind === 'javascript' && name !== '' && name !== '(anonymous)';
const isTold = (frame: Frame) => hasName(frame) || (frame.kind === 'javascript' && frame.file !== '' && frame.line > 0);

/** All bytes that were ever sampled; of one thread, or all. */
function sharesOf(profile: HeapProfile, thread?: string): Shares {
  const { samples, strings } = profile;
  const sums = { bytes: 0, told: 0, named: 0, pool: 0 };
  for (let at = 0; at < samples.count; at++) {
    if (thread !== undefined && strings[samples.thread[at]!] !== thread) continue;
    const frames = Array.from(stackFrames(profile, samples.stack[at]!), (frame) => frameAt(profile, frame));
    const own = samples.allocatedBytes![at]!;
    sums.bytes += own;
    if (frames.some(isTold)) sums.told += own;
    if (frames.some(hasName)) sums.named += own;
    if (frames.at(-1)?.name === '(thread pool)') sums.pool += own;
  }
  const { bytes, told, named, pool } = sums;
  return { bytes, told: told / bytes, named: named / bytes, pool: pool / bytes };
}

/** jemalloc numbers threads in the order in which they first allocate. */
const MAIN_THREAD = '0';

async function treeOf(path: string): Promise<string[]> {
  const { code, stdout } = await jem(['report', '--tree', path], { timeoutMs: 60_000 });
  expect(code).toBe(0);
  return stdout.split('\n');
}

function expectNames(profile: HeapProfile): void {
  const main = sharesOf(profile, MAIN_THREAD);
  // It works: most of what is ever allocated is of the requests.
  expect(main.bytes).toBeGreaterThan(200 * 2 ** 20);
  expect(main.told).toBeGreaterThanOrEqual(0.95);
  expect(main.named).toBeGreaterThanOrEqual(0.9);
  expect(main.pool).toBe(0);
}

test.each([22, 24, 26] as const)('who allocates on the main thread has a name, on Node %i', async (major) => {
  const { profile } = await profileApplication(major, false);
  expectNames(profile);
  expect(sharesOf(profile).pool).toBeGreaterThan(0.02);
});

test('on Node 20, and on threads of the pool, where they are asked to carry it', async () => {
  const plain = await profileApplication(20, false);
  expectNames(plain.profile);
  const all = sharesOf(plain.profile);
  expect(all.pool).toBeGreaterThan(0.02);

  const carried = await profileApplication(20, true);
  const shares = sharesOf(carried.profile);
  expect(shares.named).toBeGreaterThan(all.named + 0.02);
  expect(shares.pool).toBeLessThan(all.pool / 4);

  expect((await treeOf(plain.path)).filter((line) => line.includes('(thread pool)'))).not.toEqual([]);
  const lines = await treeOf(carried.path);
  expect(lines.filter((line) => line.includes('(asynchronous)'))).not.toEqual([]);
});
