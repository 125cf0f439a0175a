// What the profiled program does, each a piece of a second or less, in any order and any thread. All of it must end as JavaScript says it ends.
const { strict: assert } = require('node:assert');
const childProcess = require('node:child_process');
const cluster = require('node:cluster');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { join } = require('node:path');
const vm = require('node:vm');
const { isMainThread, Worker } = require('node:worker_threads');
const zlib = require('node:zlib');
const { FORMS, SIZES, instantiate, makeHolder } = require('./holders.cjs');

const CHILD = join(__dirname, 'child.cjs');

/** Code that comes and goes, in all tiers, so that V8 uses its addresses again. */
function churnCode({ pick, below }) {
  const recent = [];
  for (let at = 0; at < 40; at++) {
    const form = pick(['Plain', 'Constructed', 'Method', 'Generator', 'Sort', 'Reviver', 'Wasm']);
    const hold = FORMS[form](`churn${at}`, pick(SIZES));
    for (let turn = below(4) ? 2 : 3000; turn > 0; turn--) hold(undefined, false);
    hold((block) => recent.push(block), true);
    if (recent.length > 3) recent.shift();
  }
  globalThis.gc?.();
}

/** All ways down to where the stack ends. */
function overflow({ pick, addon }) {
  const plain = (depth) => {
    if (depth % 16 === 0) Buffer.allocUnsafeSlow(600);
    return plain(depth + 1) + 1;
  };
  const viaSort = () => [2, 1].sort(() => viaSort());
  const viaReplace = () => 'a'.replace(/a/, () => viaReplace());
  const viaReviver = () => JSON.parse('[1]', () => viaReviver());
  const viaProxy = new Proxy({}, { get: (_, name, proxy) => Buffer.allocUnsafeSlow(2000) && proxy[name] });
  function viaConstruct() {
    return Reflect.construct(viaConstruct, []);
  }
  const viaWasm = () => instantiate(() => viaWasm()).through();
  const viaContext = () => vm.runInThisContext('(down) => down()')(viaContext);
  const viaAddon = () => addon.call(viaAddon);
  const ways = [
    () => plain(1),
    viaSort,
    viaReplace,
    viaReviver,
    () => viaProxy.x,
    viaConstruct,
    viaWasm,
    viaContext,
    () => instantiate(() => {}).overflow(),
  ];
  // Windows of native frames need more of the stack than V8 leaves in a worker with a small one.
  if (addon && isMainThread) ways.push(viaAddon);
  assert.throws(pick(ways), (error) => error.name === 'RangeError' && /call stack/.test(error.message));
}

async function iterate({ pick, below }) {
  async function* blocks(count) {
    for (let at = 0; at < count; at++) {
      if (at % 5 === 0) await new Promise(setImmediate);
      yield Buffer.allocUnsafeSlow(3000 + at);
    }
  }
  function* nested(depth) {
    if (depth > 0) yield* nested(depth - 1);
    yield Buffer.alloc(1200);
  }
  let seen = 0;
  for await (const block of blocks(50 + below(100))) seen += block.length;
  for (const block of nested(100)) seen += block.length;
  await Promise.all(Array.from({ length: 20 }, () => FORMS.AsyncGenerator('iterated', pick(SIZES))(() => {}, true)));
  assert.ok(seen > 0);
}

function contexts({ pick }) {
  for (let at = 0; at < 5; at++) {
    const sandbox = vm.createContext({ Buffer, Math, kept: [] });
    const hold = FORMS.Context(`context${at}`, pick(SIZES));
    hold(() => {}, true);
    vm.runInContext('for (let at = 0; at < 300; at++) kept.push(Buffer.from("x".repeat(at)))', sandbox);
    assert.throws(() => vm.runInContext('for (;;);', sandbox, { timeout: 5 }), {
      code: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
    });
  }
}

async function threadPool({ below }) {
  const page = crypto.randomBytes(20_000 + below(50_000));
  const call = (take) => new Promise((done, fail) => take((error, value) => (error ? fail(error) : done(value))));
  const [packed, key] = await Promise.all([
    call((done) => zlib.gzip(page, done)),
    call((done) => crypto.scrypt('a', 'b', 32, { N: 1024 }, done)),
    call((done) => crypto.randomBytes(5000, done)),
    call((done) => fs.readFile(__filename, done)),
    call((done) => fs.readdir(__dirname, { withFileTypes: true }, done)),
    call((done) =>
      zlib.brotliCompress(page.subarray(0, 5000), { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } }, done),
    ),
  ]);
  assert.equal(key.length, 32);
  assert.ok(page.equals(await call((done) => zlib.gunzip(packed, done))));
}

const codeOf = (child) =>
  new Promise((done, fail) => child.on('error', fail).on('exit', (code, signal) => done(code ?? signal)));

async function children({ pick }) {
  const kind = pick(['exec', 'fork', 'kill', 'stranger']);
  if (kind === 'exec')
    assert.equal(await codeOf(childProcess.spawn(process.execPath, [CHILD, 'exit'], { stdio: 'inherit' })), 9);
  if (kind === 'stranger')
    assert.equal(await codeOf(childProcess.spawn('/bin/sh', ['-c', 'exit 4'], { stdio: 'inherit' })), 4);
  if (kind === 'fork') {
    const child = childProcess.fork(CHILD, ['talk']);
    const answer = new Promise((done) => child.once('message', done));
    const code = codeOf(child);
    child.send('work');
    assert.equal(await answer, 'done');
    assert.equal(await code, 11);
  }
  if (kind === 'kill') {
    const child = childProcess.fork(CHILD, ['wait']);
    const code = codeOf(child);
    await new Promise((done) => setTimeout(done, pick([1, 20, 60, 200])));
    child.kill('SIGKILL');
    assert.equal(await code, 'SIGKILL');
  }
}

async function clusterWorker() {
  cluster.setupPrimary({ exec: CHILD, args: ['serve'] });
  const worker = cluster.fork();
  const code = codeOf(worker.process);
  await new Promise((done, fail) => worker.once('message', done).once('exit', () => fail(new Error('ended early'))));
  worker.disconnect();
  assert.equal(await code, 0);
}

function forkOfTheProcess({ addon }) {
  if (addon) assert.equal(addon.forkAndWait(), 0);
}

async function workers({ pick, below, addonPath, seed }) {
  const end = pick(['itself', 'itself', 'terminate', 'terminate', 'exit', 'throw', 'small']);
  const worker = new Worker(join(__dirname, 'worker.cjs'), {
    workerData: { end, addonPath, seed: seed() },
    resourceLimits: end === 'small' ? { maxOldGenerationSizeMb: 64, stackSizeMb: 1 } : {},
    stdout: false,
  });
  const errors = [];
  worker.on('error', (error) => errors.push(error));
  const ended = new Promise((done) => worker.once('exit', done));
  if (end === 'terminate') setTimeout(() => worker.terminate(), below(400));
  const code = await ended;
  if (end === 'terminate') return;
  assert.deepEqual(
    errors.map(({ message }) => message),
    end === 'throw' ? ['on purpose'] : [],
  );
  assert.equal(code, { throw: 1, exit: 6 }[end] ?? 0);
}

async function signals({ pick, below }) {
  const signal = pick(['SIGUSR2', 'SIGWINCH', 'SIGHUP']);
  let came = 0;
  const hold = makeHolder('signalled', pick(SIZES));
  const handler = () => {
    came++;
    hold(() => {}, true);
  };
  process.on(signal, handler);
  for (let at = 0; at < 5; at++) {
    process.kill(process.pid, signal);
    for (let turn = below(200); turn > 0; turn--) Buffer.allocUnsafeSlow(1000);
    await new Promise(setImmediate);
  }
  for (let turn = 0; came === 0 && turn < 2000; turn++) await new Promise((done) => setTimeout(done, 1));
  process.off(signal, handler);
  assert.ok(came > 0, `${signal} did not come`);
}

/** libvips has neither frame pointers nor unwind tables. */
async function pictures({ below, sharp }) {
  if (!sharp) return;
  const raw = { width: 64 + below(200), height: 64, channels: 3 };
  const picture = await sharp({ create: { ...raw, background: '#246' } })
    .resize(40 + below(100))
    .png()
    .toBuffer();
  assert.equal((await sharp(picture).metadata()).format, 'png');
}

/** Errors look at the stack too, while the profiler may. */
function stackTraces({ below }) {
  const down = (depth) => (depth === 0 ? new Error('looked').stack : down(depth - 1));
  Error.stackTraceLimit = 50;
  for (let at = 0; at < 100; at++) assert.ok(down(below(80)).includes('looked'));
}

const EVERYWHERE = { churnCode, overflow, iterate, contexts, threadPool, stackTraces };
const IN_THE_MAIN_THREAD = {
  children,
  clusterWorker,
  forkOfTheProcess,
  pictures,
  signals,
  workers,
  moreWorkers: workers,
};

module.exports = { EVERYWHERE, IN_THE_MAIN_THREAD };
