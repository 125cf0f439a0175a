import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderForFile } from '../support/launching.js';
import { answerOfProfiled, applicationFolder } from '../support/profiled-program.js';

/** What a server answered. */
interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly base64: string;
}

const REQUESTS = {
  heap: ['GET', '/debug/pprof/heap'],
  allocs: ['GET', '/debug/pprof/allocs'],
  text: ['GET', '/debug/pprof/heap?debug=1'],
  afterGc: ['GET', '/debug/pprof/heap?gc=1&debug=1'],
  head: ['HEAD', '/debug/pprof/heap'],
  post: ['POST', '/debug/pprof/heap'],
  badSeconds: ['GET', '/debug/pprof/heap?seconds=soon'],
  other: ['GET', '/debug/pprof/goroutine'],
  index: ['GET', '/debug/pprof/'],
  indexElsewhere: ['GET', '/debug/pprof'],
  mountedHeap: ['GET', '/mounted/heap'],
  mountedIndex: ['GET', '/mounted'],
  mountedOther: ['GET', '/mounted/other'],
} as const;

type Name = keyof typeof REQUESTS | 'before' | 'busy' | 'delta' | 'afterLeaving';

/** A server that mounts the handler as node:http and, under /mounted, as express does. */
const SERVER = `
  import { createServer, request } from 'node:http';
  const handler = profiler.handler();
  const server = createServer((request, response) => {
    if (!request.url.startsWith('/mounted')) return handler(request, response);
    request.originalUrl = request.url;
    request.url = request.url.slice('/mounted'.length) || '/';
    handler(request, response, () => { response.statusCode = 418; response.end('next'); });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  const ask = (method, path, signal) => new Promise((resolve, reject) => {
    request({ port, method, path, signal }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, base64: Buffer.concat(chunks).toString('base64') });
    }).on('error', reject).end();
  });
  const seen = { before: await ask('GET', '/debug/pprof/heap') };
  profiler.start({ sampleBytes: 16384 });
  function holdBuffers(count) { for (let i = 0; i < count; i++) held.push(Buffer.allocUnsafeSlow(65536).fill(1)); }
  function addBuffers(count) { for (let i = 0; i < count; i++) held.push(Buffer.allocUnsafeSlow(65536).fill(1)); }
  holdBuffers(300);
`;

const folder = folderForFile();
let seen: Readonly<Record<Name, Seen>>;

beforeAll(async () => {
  seen = await answerOfProfiled(
    `${SERVER}
     for (const [name, [method, path]] of Object.entries(${JSON.stringify(REQUESTS)})) seen[name] = await ask(method, path);
     // One that goes away while it waits does not keep the others out.
     const leave = new AbortController();
     const gone = ask('GET', '/debug/pprof/heap?seconds=60', leave.signal).catch(() => {});
     await until(async () => (await ask('GET', '/debug/pprof/heap?seconds=60', AbortSignal.timeout(500)).catch(() => ({}))).status === 429);
     leave.abort();
     await gone;
     const delta = () => ask('GET', '/debug/pprof/heap?seconds=1');
     let first;
     await until(async () => {
       const [one, other] = [delta(), delta()];
       const [early, rest] = await Promise.race([one.then((answer) => [answer, other]), other.then((answer) => [answer, one])]);
       // The one before may not have gone yet: then both are refused.
       if (await Promise.race([rest, new Promise((resolve) => setTimeout(resolve, 200))])) return false;
       seen.busy = early;
       first = rest;
       return true;
     });
     addBuffers(300);
     seen.delta = await first;
     seen.afterLeaving = await ask('HEAD', '/debug/pprof/heap');
     await answer(seen);
     server.close();
     process.exit();`,
    { folder: applicationFolder(folder) },
  );
});

const bytesOf = (name: Name) => Buffer.from(seen[name].base64, 'base64');
const textOf = (name: Name) => bytesOf(name).toString();
const profileOf = (name: Name) => Profile.decode(gunzipSync(bytesOf(name)));

/** Bytes in use by the name of any function in their stacks. */
function bytesBy(profile: Profile, name: string): number {
  const { strings } = profile.stringTable;
  const at = profile.sampleType.findIndex(({ type }) => strings[Number(type)] === 'inuse_space');
  const functions = new Set(profile.function.filter((one) => strings[Number(one.name)] === name).map(({ id }) => id));
  const locations = new Set(
    profile.location.filter(({ line }) => line.some((one) => functions.has(one.functionId))).map(({ id }) => id),
  );
  return profile.sample
    .filter(({ locationId }) => locationId.some((id) => locations.has(id)))
    .reduce((sum, { value }) => sum + Number(value[at]), 0);
}

describe('/debug/pprof', () => {
  test.each(['heap', 'allocs', 'mountedHeap'] as const)('%s is a gzipped profile in pprof’s format', (name) => {
    expect(seen[name]).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="${name === 'allocs' ? 'allocs' : 'heap'}"`,
        'x-content-type-options': 'nosniff',
        'content-length': `${bytesOf(name).length}`,
      },
    });
    expect(bytesBy(profileOf(name), 'holdBuffers')).toBeGreaterThan(300 * 65_536 * 0.7);
  });

  test('seconds: what was added meanwhile', () => {
    expect(seen.delta).toMatchObject({
      status: 200,
      headers: { 'content-disposition': 'attachment; filename="heap-delta"' },
    });
    const profile = profileOf('delta');
    expect(bytesBy(profile, 'addBuffers')).toBeGreaterThan(300 * 65_536 * 0.7);
    expect(Math.abs(bytesBy(profile, 'holdBuffers'))).toBeLessThan(65_536);
    expect(Number(profile.durationNanos)).toBeGreaterThanOrEqual(0.9e9);
  });

  test('debug: text', () => {
    for (const name of ['text', 'afterGc'] as const) {
      expect(seen[name]).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } });
      expect(textOf(name)).toMatch(/^heap profile: \d+: \d+ \[\d+: \d+\] @ heap\/16384\n/);
      expect(textOf(name)).toContain('\tholdBuffers\t');
    }
  });

  test('HEAD: the headers alone', () => {
    expect(seen.head).toMatchObject({
      status: 200,
      base64: '',
      headers: { 'content-type': 'application/octet-stream' },
    });
  });

  test.each([
    ['post', 405, /^POST is not for profiles/],
    ['badSeconds', 400, /^seconds is 'soon' \(expected a whole number from 1 to 3600\)/],
    ['other', 404, /heap and allocs/],
    ['before', 503, /^no heap profile: profiling is switched off \(prof\.active\)\nprofiler\.start\(\)\n$/],
    ['busy', 429, /one at a time/],
  ] as const)('%s is refused with %i, in words that go tool pprof shows', (name, status, words) => {
    expect(seen[name]).toMatchObject({
      status,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-go-pprof': '1', 'x-content-type-options': 'nosniff' },
    });
    expect(textOf(name)).toMatch(words);
  });

  test('a method that is not allowed is told which are; who is too early, when to come', () => {
    expect(seen.post.headers['allow']).toBe('GET, HEAD');
    expect(seen.busy.headers['retry-after']).toBe('1');
  });

  test('the index, with links that work wherever it is mounted', () => {
    expect(seen.index).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(textOf('index')).toContain('href="heap"');
    expect(seen.indexElsewhere).toMatchObject({ status: 301, headers: { location: 'pprof/' } });
    expect(seen.mountedIndex).toMatchObject({ status: 301, headers: { location: 'mounted/' } });
  });

  test('what is not pprof’s is left to the next handler where there is one', () => {
    expect([seen.mountedOther.status, textOf('mountedOther')]).toEqual([418, 'next']);
  });

  test('a client that leaves frees its place', () => {
    expect(seen.afterLeaving.status).toBe(200);
  });
});
