// Reads on while 50 workers come and go, every third ended from outside in the middle of its reading.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { jemalloc } from '../../../dist/control/mallctl/jemalloc.js';
import { openMallctlSampler } from '../../../dist/sources/mallctl/sampler.js';

const sampler = openMallctlSampler();

function readSome() {
  sampler.sample();
  const allocated = sampler.valueOf('allocatedBytes');
  const active = sampler.valueOf('activeBytes');
  if (!(allocated > 0 && active >= allocated)) throw new Error(`active ${active}, allocated ${allocated}`);
  for (let bin = 0; bin < 36; bin++) jemalloc.read(`stats.arenas.4096.bins.${bin}.curregs`);
  return sampler.valueOf('threadAllocatedBytes');
}

if (!isMainThread) {
  const before = readSome();
  const kept = Buffer.allocUnsafeSlow(1 << 20);
  const grown = readSome() - before;
  parentPort.postMessage({ ready: true, grown, kept: kept.length });
  parentPort.once('message', () => parentPort.close());
  // Until it is told to end, or is ended.
  const read = () => {
    readSome();
    setImmediate(read).unref();
  };
  read();
} else {
  let started = 0;
  let least = Infinity;
  const next = async () => {
    while (started < 50) {
      const at = started++;
      const worker = new Worker(new URL(import.meta.url));
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      const { grown } = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      least = Math.min(least, grown);
      if (at % 3 === 0) await worker.terminate();
      else worker.postMessage('end');
      await ended;
    }
  };
  let reads = 0;
  let busy = true;
  const read = () => {
    readSome();
    reads++;
    if (busy) setImmediate(read);
  };
  read();
  await Promise.all([next(), next(), next()]);
  busy = false;
  console.log(JSON.stringify({ started, reads, least }));
}
