// A small service as they are written every day: thumbnails of stored pictures, JSON feeds, notes that are posted to it. It
// answers from a cache where it can. Node's own modules only; README.md says how to start it.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { deflateRaw, gzip } from 'node:zlib';
import { Cache } from './cache.mjs';
import { decodePng, encodePng, paintPicture, scalePicture } from './png.mjs';

const PICTURES = 24;
const MAXIMUM_BODY_BYTES = 1 << 20;
const compress = promisify(gzip);
const pack = promisify(deflateRaw);
const cache = new Cache({
  maximumBytes: Number(process.env.CACHE_MEGABYTES ?? 32) << 20,
  lifetimeMs: Number(process.env.CACHE_SECONDS ?? 60) * 1000,
});
const store = [];

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function integer(text, minimum, maximum, what) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new Refusal(400, `${what}: got '${text}', expected a whole number from ${minimum} to ${maximum}`);
  }
  return value;
}

async function thumbnail(id, query) {
  const number = integer(id, 0, PICTURES - 1, 'picture');
  const width = integer(query.get('width'), 16, 640, 'width');
  const body = await encodePng(scalePicture(await decodePng(store[number]), width));
  return { type: 'image/png', body };
}

const WORDS =
  'memory arena page extent slab cache thread buffer stream socket signal module event timer queue worker'.split(' ');

function sentence(seed) {
  let text = '';
  for (let i = 0; i < 8 + (seed % 25); i++) text += `${WORDS[(seed * 31 + i * i * 7) % WORDS.length]} `;
  return text;
}

async function feed(id, query) {
  const number = integer(id, 0, 1_000_000, 'feed');
  const count = integer(query.get('items'), 1, 2000, 'items');
  const items = Array.from({ length: count }, (_, i) => {
    const text = sentence(number + i);
    const tag = createHash('sha1').update(`${number}/${i}/${text}`).digest('base64url');
    return {
      id: `${number}-${i}`,
      tag,
      title: text.slice(0, 24),
      text,
      score: (number * i) % 997,
      tags: text.split(' ').slice(0, 5),
    };
  });
  const body = await compress(JSON.stringify({ feed: number, items }));
  return { type: 'application/json', encoding: 'gzip', body };
}

async function readBody(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAXIMUM_BODY_BYTES) throw new Refusal(413, `a note has at most ${MAXIMUM_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function note(request) {
  const raw = await readBody(request);
  let content;
  try {
    content = JSON.parse(raw.toString('utf8'));
  } catch {
    throw new Refusal(400, 'a note is JSON');
  }
  const tag = createHash('sha1').update(raw).digest('base64url');
  cache.set(`note ${tag}`, await pack(JSON.stringify({ received: Date.now(), content })));
  return { type: 'application/json', body: Buffer.from(JSON.stringify({ tag, bytes: raw.length })) };
}

async function answer(request) {
  const { pathname, searchParams } = new URL(request.url, 'http://server');
  if (request.method === 'POST' && pathname === '/notes') return note(request);
  const [, kind, id] = /^\/(picture|feed)\/(\d+)$/.exec(pathname) ?? [];
  if (request.method !== 'GET' || !kind) throw new Refusal(404, `there is no ${request.method} ${pathname}`);
  const known = cache.get(request.url);
  const headers = kind === 'picture' ? { type: 'image/png' } : { type: 'application/json', encoding: 'gzip' };
  if (known) return { ...headers, body: known };
  const made = await (kind === 'picture' ? thumbnail(id, searchParams) : feed(id, searchParams));
  cache.set(request.url, made.body);
  return made;
}

const server = createServer(async (request, response) => {
  try {
    const { type, encoding, body } = await answer(request);
    response.setHeader('content-type', type);
    if (encoding) response.setHeader('content-encoding', encoding);
    response.setHeader('content-length', body.length);
    response.end(body);
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    response.statusCode = error instanceof Refusal ? error.status : 500;
    response.end(JSON.stringify({ error: error.message }));
  }
});

for (let number = 0; number < PICTURES; number++) {
  store.push(await encodePng(paintPicture(number, 320 + number * 24, 240 + number * 18)));
}

const wanted = process.argv[2] ?? process.env.PORT ?? '0';
const where = /^\d+$/.test(wanted) ? { port: Number(wanted), host: '127.0.0.1' } : { path: wanted };
server.on('error', (error) => {
  console.error(`cannot listen on ${wanted}: ${error.message}`);
  process.exit(1);
});
server.listen(where, () => {
  const address = server.address();
  if (process.send) process.send({ kind: 'ready', address: typeof address === 'string' ? address : address.port });
  else console.log(`listening on ${typeof address === 'string' ? address : `http://127.0.0.1:${address.port}`}`);
});

function stop() {
  server.close(() => process.exit(0));
  server.closeAllConnections();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// Whoever started this server over IPC has gone: nobody is left to stop it.
process.on('disconnect', stop);
