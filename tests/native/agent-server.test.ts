import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { WIRE, WIRE_FLAGS, WIRE_STATUSES } from '../../src/model/agent-wire.js';
import {
  type BareClient,
  openAgentOf,
  openBareClient,
  readPayload,
  until,
  wireQuestion,
  writePayload,
} from '../support/agent-client.js';
import { type AgentHosts, clientsOf, plainHosts, sanitizedHosts } from '../support/agent-hosts.js';
import { folderForFile } from '../support/launching.js';
import type { RunningProgram } from '../support/running-program.js';

const folder = folderForFile();
let all: Record<'plain' | 'sanitized', AgentHosts>;
beforeAll(() => {
  all = { plain: plainHosts(folder), sanitized: sanitizedHosts(folder) };
});

const SIZE = 4;
const STRING = 8;

/** Starts a host that waits, and a client of its agent. */
async function openWaiting(hosts: AgentHosts): Promise<{ host: RunningProgram; client: BareClient; path: string }> {
  const host = hosts.open(['wait']);
  expect(await host.line()).toBe('ready');
  const path = hosts.socketOf(host.pid);
  return { host, client: await openAgentOf(path), path };
}

/** The host still answers, and ends as it would without an agent, with nothing said and nothing left. */
async function expectUnharmed(host: RunningProgram, path: string): Promise<void> {
  expect((await (await openBareClient(path)).ask('hello')).status).toBe(0);
  const { code, signal, stderr } = await host.end();
  expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: '' });
  expect(existsSync(path)).toBe(false);
}

describe.each(['plain', 'sanitized'] as const)('%s', (build) => {
  test('it says who it is', async () => {
    const { host, client, path } = await openWaiting(all[build]);
    const { status, payload } = await client.ask('hello');
    expect(status).toBe(0);
    expect(payload.readUInt32LE(0)).toBe(host.pid);
    expect(payload.readUInt32LE(4) & WIRE_FLAGS.inAddon).toBe(0);
    const age = Number(payload.readBigUInt64LE(16) - payload.readBigUInt64LE(8)) / 1e9;
    expect(age).toBeGreaterThanOrEqual(0);
    const [version] = payload.subarray(24).toString().split('\0');
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    const mode = (name: string) => (statSync(name).mode & 0o777).toString(8);
    expect([mode(path), mode(dirname(path))]).toEqual(['600', '700']);
    await expectUnharmed(host, path);
  });

  test('another version is answered with its own', async () => {
    const { host, client, path } = await openWaiting(all[build]);
    client.send(wireQuestion('hello', Buffer.from('whatever it holds'), { version: 9 }));
    expect(await client.answer()).toMatchObject({ status: WIRE_STATUSES.otherVersion, version: WIRE.version });
    expect((await client.ask('hello')).status).toBe(0);
    await expectUnharmed(host, path);
  });

  test('an operation it does not know, and questions that are none', async () => {
    const { host, client, path } = await openWaiting(all[build]);
    expect((await client.ask(999)).status).toBe(WIRE_STATUSES.unknownOperation);
    const malformed: [Parameters<BareClient['ask']>[0], Buffer][] = [
      ['read', Buffer.alloc(0)],
      ['read', Buffer.of(SIZE, 0, 0, 0)],
      ['read', readPayload(0, 'version')],
      ['read', readPayload(99, 'version')],
      ['read', readPayload(STRING, 'ver\0sion')],
      ['write', Buffer.of(1, 0, 255, 255)],
      ['write', writePayload(6, 4, 'epoch', Buffer.alloc(8))],
      ['write', writePayload(6, 0, 'epoch', Buffer.alloc(7))],
      ['write', writePayload(1, 0, 'background_thread', Buffer.of(2))],
      ['write', writePayload(STRING, 0, 'arena.0.dss', Buffer.from('no end'))],
      ['write', writePayload(STRING, 0, 'arena.0.dss', Buffer.from('two\0ends\0'))],
      ['write', writePayload(12, 0, 'epoch')],
      ['select', Buffer.alloc(0)],
      ['select', Buffer.of(200, 0)],
      ['select', Buffer.of(1, 0, SIZE, 9, 65)],
      ['select', Buffer.of(0, 0, 1)],
      ['select', Buffer.from([1, 0, STRING, 1, 65])],
      ['stats', Buffer.alloc(100, 'x')],
      ['stats', Buffer.from('a\0b')],
      ['decay', Buffer.alloc(3)],
      ['purge', Buffer.alloc(8)],
      ['profActive', Buffer.of(2)],
      ['profActive', Buffer.alloc(0)],
      ['profDump', Buffer.from('relative')],
      ['profDump', Buffer.from('/a\0b')],
      ['profReset', Buffer.alloc(4)],
      ['profReset', Buffer.from('feffffffffffffff', 'hex')],
    ];
    for (const [operation, payload] of malformed) {
      const { status } = await client.ask(operation, payload);
      // Where there is nothing to print statistics with, that is said first.
      const allowed = [WIRE_STATUSES.malformed, ...(build === 'sanitized' ? [WIRE_STATUSES.noJemalloc] : [])];
      expect(allowed, `${operation} ${payload.toString('hex')}`).toContain(status);
    }
    await expectUnharmed(host, path);
  });

  test('what is no message ends the conversation, and only that', async () => {
    const { host, client, path } = await openWaiting(all[build]);
    const garbage = await openBareClient(path);
    garbage.send(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    expect((await garbage.ended).length).toBe(0);
    const oversized = await openBareClient(path);
    oversized.send(wireQuestion('hello', Buffer.alloc(0), { length: 0xffff_ffff }));
    expect((await oversized.answer()).status).toBe(WIRE_STATUSES.malformed);
    expect((await oversized.ended).length).toBe(0);
    expect((await client.ask('hello')).status).toBe(0);
    await expectUnharmed(host, path);
  });

  test('whatever bytes come', async () => {
    const { host, path } = await openWaiting(all[build]);
    const operation = fc.integer({ min: 0, max: 15 });
    // The dump of a profile would write to a path out of chance's hand; all else may happen.
    const message = fc
      .tuple(operation, fc.uint8Array({ maxLength: 300 }), fc.boolean())
      .filter(([number]) => number !== 10)
      .map(([number, bytes, whole]) =>
        wireQuestion(number, Buffer.from(bytes), whole ? {} : { length: bytes.length + 5 }),
      );
    const stream = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: message },
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      {
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(stream, async (messages) => {
        const client = await openBareClient(path);
        client.socket.end(Buffer.concat(messages));
        await client.ended;
      }),
      { numRuns: 150 },
    );
    await expectUnharmed(host, path);
  });

  test('questions in a row are answered in order; half a message is dropped, and so is who does not read', async () => {
    const { host, client, path } = await openWaiting(all[build]);
    const ids = Array.from({ length: 300 }, (_, at) => at);
    client.send(Buffer.concat(ids.map((id) => wireQuestion('hello', Buffer.alloc(0), { id }))));
    for (const id of ids) expect((await client.answer()).id).toBe(id);

    const half = await openBareClient(path);
    half.send(wireQuestion('hello').subarray(0, 11));
    const deaf = await openBareClient(path);
    deaf.socket.pause();
    deaf.send(Buffer.concat(Array.from({ length: 100_000 }, () => wireQuestion('hello'))));
    expect((await half.ended).length).toBe(0);
    // Its answers fill the socket's buffer; then the agent goes on without it. Only a reader is told of the end.
    await until(async () => {
      const { status } = await client.ask('hello');
      return status === 0 && clientsOf(host.pid) === 1;
    }, 'the client that reads nothing is dropped');
    await expectUnharmed(host, path);
  });

  test('200 clients at once are all served', async () => {
    const { host, path } = await openWaiting(all[build]);
    const served = Array.from({ length: 200 }, async (_, at) => {
      const client = await openBareClient(path);
      const first = await client.ask('hello');
      const second = await client.ask(at % 2 ? 'sample' : 'hello');
      client.socket.destroy();
      return [first.status, at % 2 ? 0 : second.status];
    });
    expect(await Promise.all(served)).toEqual(served.map(() => [0, 0]));
    await expectUnharmed(host, path);
  });

  test('clients that go in mid-answer', async () => {
    const { host, client, path } = await openWaiting(all[build]);
    for (let at = 0; at < 100; at++) {
      const leaving = await openBareClient(path);
      leaving.send(Buffer.concat(Array.from({ length: 20 }, () => wireQuestion('stats', Buffer.from('J')))));
      leaving.socket.destroy();
    }
    expect((await client.ask('hello')).status).toBe(0);
    await expectUnharmed(host, path);
  });
});
