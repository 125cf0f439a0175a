import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { WIRE_PROF_FLAGS } from '../../src/model/agent-wire.js';
import { functionsOf, splitCapture } from '../support/captures.js';
import { compile } from '../support/compile.js';
import { AGENT, folderForFile } from '../support/launching.js';
import { jemallocLibrary, NODE_MAJORS, nodeBinary, ROOT, runProgram, temporaryFolder } from '../support/programs.js';

const folder = folderForFile();
const ADDON = join(ROOT, 'prebuilds', `linux-${process.arch}-glibc`, 'jemkit.node');
const { EALREADY, EEXIST, EFBIG, ENOENT, EBUSY } = constants.errno;
const TRUNCATED = 0x10000000000003n;
const FORGET = WIRE_PROF_FLAGS.forget;

/** Holds Buffers through functions that are called so often that V8 compiles them, and some that run once; on the main thread, in a callback and in a worker. */
const HOLDER = `
  const addon = require(${JSON.stringify(ADDON)});
  const { Worker, isMainThread, parentPort } = require('node:worker_threads');
  const kept = [];
  function makeBlock(i) { return Buffer.alloc(60000 + (i & 7), 1); }
  function holdBlocks(count) { for (let i = 0; i < count; i++) kept[i % 200] = makeBlock(i); }
  function deep(depth) { return depth === 0 ? makeBlock(0) : deep(depth - 1); }
  addon.profilerListen();
  if (!isMainThread) {
    holdBlocks(1500);
    parentPort.postMessage('held');
    setInterval(() => {}, 1000);
  } else {
    const errors = [addon.profilerStart(12, ${FORGET}), addon.profilerStart(-1, 0)];
    holdBlocks(3000);
    kept.push(deep(500));
    setTimeout(() => {
      holdBlocks(200);
      const worker = new Worker(__filename);
      worker.once('message', async () => {
        errors.push(addon.profilerCapture(process.argv[2]), addon.profilerCapture(process.argv[2]));
        await worker.terminate();
        errors.push(addon.profilerStop());
        console.log(JSON.stringify({ errors, state: JSON.parse(addon.profilerState()) }));
      });
    }, 5);
  }`;

const environment = (more: readonly string[] = []) => ({
  LD_PRELOAD: [jemallocLibrary(), ...more].join(' '),
  MALLOC_CONF: 'prof:true,prof_active:false',
});

describe.each(NODE_MAJORS)('Node %i', (major) => {
  test.each([
    ['the addon alone', []],
    ['the preloaded library', [AGENT]],
  ])(
    'with %s: every stack reaches the bottom or says that it does not, and JavaScript is named',
    async (what, more) => {
      const script = join(folder, 'holder.cjs');
      const path = join(folder, `${major}-${what.replaceAll(' ', '-')}.heap`);
      writeFileSync(script, HOLDER);
      const run = await runProgram(nodeBinary(major), [script, path], { env: environment(more) });
      expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
      const { errors, state } = JSON.parse(run.stdout);
      expect(errors).toEqual([0, EALREADY, 0, EEXIST, 0]);
      expect(state).toMatchObject({
        compiledIn: true,
        enabled: true,
        active: false,
        unwinder: 'jemkit',
        why: '',
        lgSample: 12,
      });
      expect(state.samples).toBeGreaterThan(1000);
      expect(state.isolatesListening).toBeGreaterThanOrEqual(1);

      expect(statSync(path).mode & 0o777).toBe(0o600);
      const capture = splitCapture(readFileSync(path, 'utf8'));
      expect(capture.head.get('node')).toMatch(new RegExp(`^v${major}\\.`));
      expect(capture.head.get('unwinder')).toBe('jemkit');
      expect([...capture.buildIds.keys()].some((file) => file.includes('libjemalloc'))).toBe(true);
      expect(capture.statistics.jemalloc['stats']).toBeDefined();

      const nameOf = functionsOf(nodeBinary(major));
      const bottomFiles = /\/(libc|ld-linux)[^/]*$|\/libpthread[^/]*$/;
      const ranges = capture.mappings.flatMap((line) => {
        const match = line.match(/^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+\s+(\S+)/);
        return match ? [{ from: BigInt(`0x${match[1]}`), to: BigInt(`0x${match[2]}`), file: match[3]! }] : [];
      });
      let javascriptBytes = 0;
      let bytes = 0;
      let unfinished = 0;
      let unfinishedBytes = 0;
      for (const stack of capture.stacks) {
        const last = stack.frames.at(-1)!;
        const file = ranges.find(({ from, to }) => last >= from && last < to)?.file ?? '';
        const isBottom = last === TRUNCATED || bottomFiles.test(file) || nameOf(last) === '_start';
        if (!isBottom) unfinishedBytes += stack.bytes;
        if (!isBottom) unfinished++;
        const named = stack.frames.some((frame) => capture.frames.get(frame)?.[0] === 'js');
        bytes += stack.bytes;
        if (named) javascriptBytes += stack.bytes;
      }
      expect(bytes).toBeGreaterThan(200 * 60000);
      // A walk that lost its way is counted, and rare.
      expect(unfinished).toBeLessThanOrEqual(Number(capture.head.get('truncated')));
      expect(unfinishedBytes / bytes).toBeLessThan(0.01);
      expect(javascriptBytes / bytes).toBeGreaterThan(0.9);
      const names = new Set([...capture.frames.values()].map((fields) => fields[7]));
      // What V8 inlines has no frame of its own.
      expect(names.has('holdBlocks') || names.has('makeBlock')).toBe(true);
      // Interpreted functions of Node's own snapshot.
      expect(names.has('processTimers')).toBe(true);
    },
  );
});

test('an empty flag, no profiling, a wrong place and a limit of file sizes: an error number each, and no half file', async () => {
  const place = temporaryFolder();
  const body = `const addon = require(${JSON.stringify(ADDON)});
    const out = [addon.profilerStart(99, 0), addon.profilerStart(10, 0), addon.profilerCapture(process.argv[1] + '/none/a.heap'), addon.profilerCapture(process.argv[1] + '/a.heap'), addon.profilerStop(), addon.profilerStop()];
    console.log(JSON.stringify([out, JSON.parse(addon.profilerState()).why]));`;
  const run = async (env: Record<string, string>, shell = 'exec "$0" "$@"') => {
    const { stdout } = await runProgram('sh', ['-c', shell, process.execPath, '-e', body, place], { env });
    return JSON.parse(stdout.split('\n').at(-2) ?? '');
  };
  const [errors, why] = await run(environment());
  expect(errors).toEqual([constants.errno.EINVAL, 0, ENOENT, 0, 0, 0]);
  expect(why).toBe('');
  expect(readdirSync(place)).toEqual(['a.heap']);

  const limited = await run(
    environment(),
    'ulimit -f 4; mkdir "$4/limited"; set -- "$1" "$2" "$3" "$4"; exec "$0" "$1" "$2" "$3/limited"'.replaceAll(
      '$4',
      '$3',
    ),
  );
  expect(limited[0].slice(3)).toEqual([EFBIG, 0, 0]);
  expect(readdirSync(join(place, 'limited'))).toEqual([]);

  const off = await run({ ...environment(), MALLOC_CONF: '' });
  expect(off).toEqual([[ENOENT, ENOENT, ENOENT, ENOENT, ENOENT, ENOENT], expect.any(String)]);
  const none = await run({});
  expect(none[0]).toEqual([ENOENT, ENOENT, ENOENT, ENOENT, ENOENT, ENOENT]);
});

test('under a filter that ends who reads memory by process_vm_readv', async () => {
  const source = readFileSync(join(ROOT, 'tests', 'native', 'filtered.c'), 'utf8');
  const filtered = compile(folder, 'filtered', source, ['-I', join(ROOT, 'tests', 'native')]);
  const script = join(folder, 'filtered.cjs');
  const path = join(folder, 'filtered.heap');
  writeFileSync(script, HOLDER);
  const args = ['kill:process_vm_readv', '--', process.execPath, script, path];
  const { code, signal, stderr } = await runProgram(filtered, args, { env: environment([AGENT]) });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  const names = new Set([...splitCapture(readFileSync(path, 'utf8')).frames.values()].map((fields) => fields[7]));
  expect(names.has('holdBlocks') || names.has('makeBlock')).toBe(true);
});

test('workers that listen, hold and end, and captures at once', async () => {
  const place = temporaryFolder();
  const inWorker = `const addon = require(${JSON.stringify(ADDON)});
    const { workerData, parentPort } = require('node:worker_threads');
    addon.profilerListen();
    const kept = [];
    const errors = [];
    for (let i = 0; i < 60; i++) { kept.push(Buffer.alloc(20000, i)); if (i % 20 === 0) errors.push(addon.profilerCapture(workerData + '-' + i + '.heap')); }
    parentPort.postMessage(errors);`;
  const body = `const addon = require(${JSON.stringify(ADDON)});
    const { Worker } = require('node:worker_threads');
    addon.profilerStart(12, 0);
    (async () => {
      const all = new Set();
      for (let round = 0; round < 3; round++) {
        await Promise.all(Array.from({ length: 4 }, (_, i) => new Promise((resolve) => {
          const worker = new Worker(${JSON.stringify(inWorker)}, { eval: true, workerData: process.argv[1] + '/' + round + '-' + i });
          worker.once('message', (errors) => { for (const error of errors) all.add(error); });
          if (i === 3) setTimeout(() => worker.terminate(), 15);
          worker.once('exit', resolve);
        })));
      }
      console.log(JSON.stringify([...all]));
    })();`;
  const { code, signal, stdout, stderr } = await runProgram(process.execPath, ['-e', body, place], {
    env: environment([AGENT]),
  });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  const seen = JSON.parse(stdout) as number[];
  expect(seen).toContain(0);
  for (const error of seen) expect([0, EBUSY]).toContain(error);
  const files = readdirSync(place);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files.filter((name) => name.endsWith('.heap')))
    splitCapture(readFileSync(join(place, file), 'utf8'));
});
