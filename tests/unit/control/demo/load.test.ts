import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runLoad } from '../../../../src/control/demo/load.js';

async function listen(answer: RequestListener): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createServer(answer).on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

const next = () => ({ method: 'GET', path: '/', body: undefined }) as const;
const signal = new AbortController().signal;

describe('runLoad', () => {
  it('sends so many requests, over so many connections at most', async () => {
    let open = 0;
    let most = 0;
    const { port, connections } = await listen((_, response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        response.end('x');
      });
    });
    const result = await runLoad({ address: port, next, concurrency: 4, requests: 50, signal });
    expect(result).toMatchObject({ requests: 50, failedRequests: 0 });
    expect(result.latenciesMs).toHaveLength(50);
    expect(result.loadMs).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4);
    expect(connections()).toBeLessThanOrEqual(4);
  });

  it('sends bodies, and counts refusals', async () => {
    const bodies: string[] = [];
    const { port } = await listen(async (request, response) => {
      for await (const chunk of request) bodies.push(String(chunk));
      response.statusCode = bodies.length % 2 === 0 ? 200 : 500;
      response.end();
    });
    const post = () => ({ method: 'POST', path: '/notes', body: '{"é":1}' }) as const;
    const result = await runLoad({ address: port, next: post, concurrency: 1, requests: 4, signal });
    expect(result.failedRequests).toBe(2);
    expect(bodies).toEqual(Array(4).fill('{"é":1}'));
  });

  it('stops after the time, answers of requests under way included', async () => {
    const { port } = await listen((_, response) => response.end());
    const result = await runLoad({ address: port, next, concurrency: 2, seconds: 0.2, signal });
    expect(result.requests).toBeGreaterThan(0);
    expect(result.loadMs).toBeGreaterThanOrEqual(200);
  });

  it('stops when the signal says so', async () => {
    const stop = new AbortController();
    const { port } = await listen((_, response) => response.end());
    const running = runLoad({
      address: port,
      next,
      concurrency: 2,
      signal: stop.signal,
      onRequest: (done) => done === 5 && stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('rejects where a connection breaks', async () => {
    const { port } = await listen((request) => request.socket.destroy());
    await expect(runLoad({ address: port, next, concurrency: 2, requests: 5, signal })).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
  });
});
