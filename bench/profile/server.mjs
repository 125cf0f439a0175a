// The program that bench.mjs measures: a fastify server that answers with gzipped JSON, and a loop that does nothing but allocate. Arguments: a socket to listen on,
// the addon of jemkit, and that of walks.c. It is told by messages how it is to be profiled.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const [socket, jemkit, walks] = process.argv.slice(2);
const require = createRequire(join(process.env.JEMKIT_BENCH_MODULES, 'node_modules', 'x.js'));
const { fastify } = require('fastify');
const profiler = require(jemkit);
const hook = require(walks);
const JEMALLOC = 0;
const JEMKIT = 1;

const must = (error, what) => {
  if (error) throw new Error(`${what}: error number ${error}`);
};
must(hook.learn(JEMALLOC), 'the walk of jemalloc');
must(profiler.profilerListen(), 'listening to V8’s code events');
must(profiler.profilerStart(-1, 0), 'starting the profiler');
must(hook.learn(JEMKIT), 'the walk of jemkit');
must(hook.sample(-1), 'switching sampling off');

const items = Array.from({ length: 120 }, (_, id) => ({ id, name: `item ${id}`, price: id * 1.25, tags: ['a', 'b'] }));
const compress = promisify(gzip);
const app = fastify();
let served = 0;
app.get('/items', async (_request, reply) => {
  served++;
  const body = await compress(JSON.stringify({ at: served, items }));
  reply.header('content-encoding', 'gzip').type('application/json');
  return body;
});

const cpuMicros = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

const kept = [];
function allocate(bytes, count) {
  const before = cpuMicros();
  for (let at = 0; at < count; at++) kept[at & 63] = Buffer.allocUnsafeSlow(bytes);
  return cpuMicros() - before;
}

const ANSWERS = {
  arm({ lg, walk }) {
    if (walk !== undefined) must(hook.use(walk), 'choosing who walks');
    must(hook.sample(lg ?? -1), 'setting the rate');
    return {};
  },
  allocate: ({ bytes, count }) => ({ micros: allocate(bytes, count) }),
  state: () => JSON.parse(profiler.profilerState()),
  times: () => ({ times: hook.times() }),
};
process.on('message', ({ ask, ...rest }) => process.send(ANSWERS[ask](rest)));

await app.listen({ path: socket });
process.send({ ready: true });
