import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { subtractProfile } from '../../analyses/profile-merge.js';
import { collectGarbage } from '../../control/pressure/collect-garbage.js';
import { JemkitError } from '../../errors.js';
import type { HeapProfile } from '../../model/heap-profile.js';
import type { ProfilerRefusal } from '../../model/profiler-outcome.js';
import { renderPprofText } from '../../outputs/pprof-text.js';
import { type PprofRequest, parsePprofRequest } from './parse-pprof-request.js';
import { pprofIndex } from './pprof-index.js';

/** What serves pprof's requests: a listener for `http.createServer`, or a middleware of express's kind. */
export type PprofHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  /** Called, where it is given, for a path that is not pprof's. */
  next?: (error?: unknown) => void,
) => void;

/** What a handler asks of the profiler. */
export interface PprofSource {
  whyNot(): ProfilerRefusal | undefined;
  take(): Promise<HeapProfile | ProfilerRefusal>;
  encode(profile: HeapProfile, name: 'heap' | 'allocs'): Promise<Uint8Array>;
}

type ProfileRequest = Extract<PprofRequest, { kind: 'profile' }>;

const compress = promisify(gzip);

const TEXT = 'text/plain; charset=utf-8';

/** What `go tool pprof` shows of an answer that is no profile is what carries X-Go-Pprof. */
function refuse(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'content-type': TEXT,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'x-go-pprof': '1',
    ...headers,
  });
  response.end(`${text}\n`);
}

const unavailable = (response: ServerResponse, { cause, remedy }: ProfilerRefusal) =>
  refuse(response, 503, `no heap profile: ${cause}\n${remedy}`);

function headersOf({ name, seconds, asText }: ProfileRequest): Record<string, string> {
  const common = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
  if (asText) return { ...common, 'content-type': TEXT };
  return {
    ...common,
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${seconds === undefined ? name : `${name}-delta`}"`,
  };
}

/** Ends early where the client goes; then false. */
function waitFor(seconds: number, response: ServerResponse): Promise<boolean> {
  // It may have gone while the first profile was taken.
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (whole: boolean) => {
      clearTimeout(timer);
      response.off('close', leave);
      resolve(whole);
    };
    const leave = () => end(false);
    const timer = setTimeout(() => end(true), seconds * 1000);
    response.on('close', leave);
  });
}

function differenceOf(later: HeapProfile, earlier: HeapProfile): HeapProfile {
  const difference = subtractProfile(later, earlier);
  const [from, to] = [earlier.capture.takenAtMs, later.capture.takenAtMs];
  const durationMs = from === undefined || to === undefined ? undefined : to - from;
  // The statistics of one moment would pass for those of the difference.
  return {
    ...difference,
    capture: { ...difference.capture, durationMs, statistics: undefined, sizeClasses: undefined },
  };
}

async function takeAsked(
  source: PprofSource,
  { seconds, gcFirst }: ProfileRequest,
  response: ServerResponse,
): Promise<HeapProfile | ProfilerRefusal | undefined> {
  const take = () => {
    if (gcFirst) collectGarbage();
    return source.take();
  };
  if (seconds === undefined) return take();
  const earlier = await take();
  if ('kind' in earlier) return earlier;
  if (!(await waitFor(seconds, response))) return undefined;
  const later = await take();
  return 'kind' in later ? later : differenceOf(later, earlier);
}

async function answer(source: PprofSource, request: ProfileRequest, response: ServerResponse): Promise<void> {
  const taken = await takeAsked(source, request, response);
  if (!taken) return;
  if ('kind' in taken) {
    unavailable(response, taken);
    return;
  }
  const body = request.asText ? renderPprofText(taken) : await compress(await source.encode(taken, request.name));
  response.writeHead(200, { ...headersOf(request), 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** A request that waits does not keep those out that want the profile of now. */
const busy = { now: false, later: false };

async function answerAlone(source: PprofSource, request: ProfileRequest, response: ServerResponse): Promise<void> {
  const lane = request.seconds === undefined ? 'now' : 'later';
  if (busy[lane]) {
    const left = lane === 'later' ? ' with seconds' : '';
    refuse(response, 429, `another request${left} is being answered: one at a time`, { 'retry-after': '1' });
    return;
  }
  busy[lane] = true;
  try {
    await answer(source, request, response);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const hint = error instanceof JemkitError && error.hint ? `\n${error.hint}` : '';
    if (response.headersSent) response.destroy();
    else refuse(response, 500, `no heap profile: ${text}${hint}`);
  } finally {
    busy[lane] = false;
  }
}

/** The path as the client wrote it, which express keeps where it takes the mount path away. */
const askedUrl = (request: IncomingMessage & { originalUrl?: unknown }) =>
  typeof request.originalUrl === 'string' ? request.originalUrl : (request.url ?? '/');

/** The index's links are relative: its own path must end with a slash. */
function redirectToIndex(response: ServerResponse, path: string): void {
  response.writeHead(301, { location: `${path.split('/').at(-1) || 'pprof'}/` });
  response.end();
}

function serveIndex(source: PprofSource, request: IncomingMessage, response: ServerResponse): void {
  const path = askedUrl(request).split('?')[0] ?? '';
  if (!path.endsWith('/')) {
    redirectToIndex(response, path);
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(pprofIndex(source.whyNot()));
}

/** Makes a handler of what `source` gives. */
export function pprofHandler(source: PprofSource): PprofHandler {
  return (request, response, next) => {
    const asked = parsePprofRequest(request.url ?? '/');
    if (asked.kind === 'unknown') {
      if (next) next();
      else refuse(response, 404, 'there are heap and allocs');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      refuse(response, 405, `${request.method} is not for profiles (expected GET or HEAD)`, { allow: 'GET, HEAD' });
      return;
    }
    if (asked.kind === 'invalid') {
      refuse(response, 400, asked.reason);
      return;
    }
    if (asked.kind !== 'profile') {
      serveIndex(source, request, response);
      return;
    }
    const refusal = source.whyNot();
    if (refusal) {
      unavailable(response, refusal);
    } else if (request.method === 'HEAD') {
      response.writeHead(200, headersOf(asked));
      response.end();
    } else void answerAlone(source, asked, response);
  };
}
