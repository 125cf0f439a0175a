import { Agent, request as openRequest } from 'node:http';
import type { DemoRequest } from './request-sequence.js';

const TIMEOUT_MS = 30_000;

/** Where the server listens: a Unix socket, or a port of the loopback address. */
export type ServerAddress = string | number;

/** What to send, and when to stop. */
export interface LoadOptions {
  readonly address: ServerAddress;
  readonly next: () => DemoRequest;
  readonly concurrency: number;
  /** Stops after so many requests. */
  readonly requests?: number | undefined;
  /** Starts no request after so long. */
  readonly seconds?: number | undefined;
  readonly signal: AbortSignal;
  readonly onRequest?: (done: number) => void;
}

/** What came of it. */
export interface LoadResult {
  readonly requests: number;
  readonly failedRequests: number;
  readonly loadMs: number;
  readonly latenciesMs: readonly number[];
}

function send(
  agent: Agent,
  address: ServerAddress,
  { method, path, body }: DemoRequest,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const where = typeof address === 'string' ? { socketPath: address } : { host: '127.0.0.1', port: address };
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = openRequest({ ...where, agent, method, path, headers, signal, timeout: TIMEOUT_MS }, (response) => {
      response.on('error', reject);
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path} in ${TIMEOUT_MS / 1000} s`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

/**
 * Sends requests over kept-alive connections, `concurrency` of them at a time, each connection its next one as soon as it has the
 * answer. Rejects with the first connection that breaks.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const {
    address,
    next,
    concurrency,
    requests = Number.POSITIVE_INFINITY,
    seconds = Number.POSITIVE_INFINITY,
    signal,
  } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  let started = 0;
  let failedRequests = 0;

  const connection = async () => {
    while (started < requests && performance.now() - startedAt < seconds * 1000) {
      both.throwIfAborted();
      started++;
      const request = next();
      const sentAt = performance.now();
      const status = await send(agent, address, request, both);
      // Hundredths of a millisecond are more than a timer of this kind knows.
      latenciesMs.push(Math.round((performance.now() - sentAt) * 100) / 100);
      if (status !== 200) failedRequests++;
      options.onRequest?.(latenciesMs.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, connection));
  } catch (error) {
    stop.abort();
    throw error;
  } finally {
    agent.destroy();
  }
  return { requests: latenciesMs.length, failedRequests, loadMs: performance.now() - startedAt, latenciesMs };
}
