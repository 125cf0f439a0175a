// The primary and two forked workers each read their own jemalloc.
import cluster from 'node:cluster';
import { jemalloc } from '../../../dist/control/mallctl/jemalloc.js';
import { openMallctlSampler } from '../../../dist/sources/mallctl/sampler.js';

function readOwn() {
  const sampler = openMallctlSampler();
  const kept = Buffer.alloc((cluster.worker?.id ?? 0) * 64 * 1024 * 1024, 1);
  sampler.sample();
  return {
    pid: process.pid,
    kept: kept.length,
    allocated: sampler.valueOf('allocatedBytes'),
    decay: jemalloc.read('arenas.dirty_decay_ms'),
  };
}

if (cluster.isPrimary) {
  jemalloc.write('arenas.dirty_decay_ms', 1234);
  const answers = [readOwn()];
  for (let at = 0; at < 2; at++) {
    const worker = cluster.fork();
    answers.push(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)));
    const code = new Promise((resolve) => worker.once('exit', resolve));
    worker.disconnect();
    answers.at(-1).code = await code;
  }
  console.log(JSON.stringify(answers));
} else {
  process.send(readOwn());
}
