// The server that bench.mjs loads. Its arguments: a socket to listen on, and `sample` to take jemkit's own samples each second.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [socket, sampling] = process.argv.slice(2);
const { fastify } = createRequire(join(process.env.JEMKIT_BENCH_MODULES, 'node_modules', 'x.js'))('fastify');

const items = Array.from({ length: 25 }, (_, id) => ({ id, name: `item ${id}`, price: id * 1.25, tags: ['a', 'b'] }));
const app = fastify();
let served = 0;

app.get('/items', async () => {
  served++;
  return { at: served, items, note: Buffer.alloc(2048, served).toString('base64') };
});
// All threads of the process, the agent's and jemalloc's own included.
app.get('/cpu', async () => {
  const { user, system } = process.cpuUsage();
  return { micros: user + system, served };
});

if (sampling === 'sample') {
  const { openMallctlSampler } = await import('../../dist/sources/mallctl/sampler.js');
  const sampler = openMallctlSampler();
  if (!sampler) throw new Error('jemalloc is not in this process');
  setInterval(() => sampler.sample(), 1000);
}

await app.listen({ path: socket });
console.log('ready');
