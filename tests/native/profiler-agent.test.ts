import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WIRE_PROF_FLAGS, WIRE_STATUSES } from '../../src/model/agent-wire.js';
import { openAgentOf } from '../support/agent-client.js';
import { plainHosts } from '../support/agent-hosts.js';
import { splitCapture } from '../support/captures.js';
import { folderForFile } from '../support/launching.js';

const folder = folderForFile();
const { EALREADY, EEXIST, ENOENT } = constants.errno;
const hosts = plainHosts(folder);

function wish(lgSample: bigint, flags: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeBigInt64LE(lgSample);
  bytes[8] = flags;
  return bytes;
}

test('an agent starts, tells of, captures and stops a profile', async () => {
  const host = hosts.open(['wait']);
  const agent = await openAgentOf(hosts.socketOf(host.pid));
  const state = async () => JSON.parse((await agent.ask('profState')).payload.toString());
  const status = async (...question: Parameters<typeof agent.ask>) => (await agent.ask(...question)).status;
  expect(await state()).toMatchObject({
    compiledIn: true,
    enabled: true,
    active: false,
    unwinder: 'none',
    startedNs: 0,
  });

  expect(await status('profStart', wish(12n, WIRE_PROF_FLAGS.forget))).toBe(0);
  expect(await status('profStart', wish(-1n, 0))).toBe(EALREADY);
  expect(await state()).toMatchObject({ active: true, unwinder: 'jemkit', why: '', lgSample: 12 });

  const path = join(folder, 'agent.heap');
  const { status: captured, payload } = await agent.ask('profCapture', Buffer.from(path));
  expect(captured).toBe(0);
  const text = readFileSync(path, 'utf8');
  expect(payload.readBigUInt64LE(0)).toBe(BigInt(Buffer.byteLength(text)));
  expect(splitCapture(text).head.get('pid')).toBe(String(host.pid));
  expect(await status('profCapture', Buffer.from(path))).toBe(EEXIST);
  expect(readFileSync(path, 'utf8')).toBe(text);
  expect(await status('profCapture', Buffer.from(join(folder, 'no', 'a.heap')))).toBe(ENOENT);

  // A file that another capture has left, or somebody has put there, is not written to.
  const taken = join(folder, 'taken.heap');
  writeFileSync(`${taken}.partial`, 'mine');
  expect(await status('profCapture', Buffer.from(taken))).toBe(EEXIST);
  expect([existsSync(taken), readFileSync(`${taken}.partial`, 'utf8')]).toEqual([false, 'mine']);

  const malformed = [
    ['profStart', wish(12n, 4)],
    ['profStart', wish(-2n, 0)],
    ['profStart', Buffer.alloc(8)],
    ['profStop', Buffer.alloc(1)],
    ['profState', Buffer.alloc(1)],
    ['profCapture', Buffer.alloc(0)],
    ['profCapture', Buffer.from('relative.heap')],
    ['profCapture', Buffer.from('/tmp/a\0b')],
  ] as const;
  for (const [operation, payload] of malformed)
    expect([operation, payload, await status(operation, payload)]).toEqual([
      operation,
      payload,
      WIRE_STATUSES.malformed,
    ]);

  expect(await status('profStop')).toBe(0);
  expect(await status('profStop')).toBe(0);
  expect(await state()).toMatchObject({ active: false, startedNs: 0 });
  expect(await host.end()).toMatchObject({ code: 7, stderr: '' });
});

test('without profiling it says so, and makes no file', async () => {
  const host = hosts.open(['wait'], { env: { MALLOC_CONF: 'prof:false' } });
  const agent = await openAgentOf(hosts.socketOf(host.pid));
  const path = join(folder, 'none.heap');
  expect((await agent.ask('profStart', wish(-1n, 0))).status).toBe(ENOENT);
  expect((await agent.ask('profCapture', Buffer.from(path))).status).toBe(ENOENT);
  expect(JSON.parse((await agent.ask('profState')).payload.toString())).toMatchObject({
    enabled: false,
    why: 'jemalloc was not started with prof:true',
    unwinder: 'none',
  });
  expect(existsSync(path)).toBe(false);
  await host.end();
});
