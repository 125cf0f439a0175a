// A server that holds what it says: JavaScript objects, Buffers, workers with both, and what sharp's libvips left. Prints one line of
// JSON when it is at rest: what it holds by its own count and V8's. Lives until stdin closes.
import { createRequire } from 'node:module';
import { setTimeout as rest } from 'node:timers/promises';
import v8 from 'node:v8';
import { isMainThread, parentPort, threadId, Worker } from 'node:worker_threads';

const { JEMKIT_DIST: dist, SHARP: sharpFolder } = process.env;
const { observeProcess } = await import(`${dist}/control/observe/observe-process.js`);
const [heapMib, bufferMib, workerCount] = (process.env.HOLD ?? '0,0,0').split(',').map(Number);

const held = [];
function hold(mebibytes, buffers) {
  const before = process.memoryUsage().heapUsed;
  while ((process.memoryUsage().heapUsed - before) / 2 ** 20 < mebibytes)
    for (let i = 0; i < 5000; i++) held.push({ id: held.length, name: `object ${held.length}`, tags: [i, i + 1] });
  let bytes = 0;
  for (let i = 0; bytes < buffers * 2 ** 20; i++) {
    const buffer = Buffer.allocUnsafeSlow(i % 4 === 0 ? 262144 : 3000 + (i % 7) * 1000).fill(i);
    held.push(buffer);
    bytes += buffer.length;
  }
  return bytes;
}

const share = isMainThread ? 1 : 0.2;
const bufferBytes = hold(heapMib * share, bufferMib * share);
globalThis.held = held;
observeProcess();
const own = () => ({
  threadId,
  bufferBytes,
  heapUsed: v8.getHeapStatistics().used_heap_size,
  heapPhysical: v8.getHeapStatistics().total_physical_size,
});

if (isMainThread) {
  const workers = Array.from({ length: workerCount }, () => new Worker(new URL(import.meta.url)));
  await Promise.all(workers.map((worker) => new Promise((done) => worker.once('message', done))));
  if (sharpFolder) {
    const sharp = createRequire(`${sharpFolder}/package.json`)('sharp');
    const image = await sharp({ create: { width: 1600, height: 1200, channels: 3, background: '#377' } })
      .jpeg()
      .toBuffer();
    for (let round = 0; round < 6; round++)
      await Promise.all([640, 480, 320, 160].map((width) => sharp(image).resize(width).webp().toBuffer()));
  }
  // V8 compacts in threads of its own: two looks that agree are rest.
  for (let last = 0, now = process.memoryUsage.rss(); Math.abs(now - last) > 2 ** 20; ) {
    await rest(300);
    [last, now] = [now, process.memoryUsage.rss()];
  }
  const threads = await Promise.all(
    workers.map((worker) => {
      worker.postMessage('tell');
      return new Promise((done) => worker.once('message', done));
    }),
  );
  console.log(JSON.stringify({ threads: [own(), ...threads] }));
  process.stdin.resume().on('end', () => process.exit(0));
} else {
  parentPort.on('message', () => parentPort.postMessage(own()));
  parentPort.postMessage('ready');
}
