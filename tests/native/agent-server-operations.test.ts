import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WIRE_STATUSES } from '../../src/model/agent-wire.js';
import { MAIN_COUNTER_KEYS } from '../../src/model/main-counters.js';
import { MALLCTL_TYPES, type MallctlType } from '../../src/model/mallctl-keys/row.js';
import { findMallctlKey, MALLCTL_KEYS } from '../../src/model/mallctl-keys.js';
import { type BareClient, openAgentOf, readPayload, writePayload } from '../support/agent-client.js';
import { type AgentHosts, plainHosts } from '../support/agent-hosts.js';
import { folderForFile } from '../support/launching.js';
import { finished, temporaryFolder, testEnvironment } from '../support/programs.js';

const folder = folderForFile();
const { ENOENT, EEXIST, EINVAL, EFAULT } = constants.errno;
let hosts: AgentHosts;
let child: ChildProcess;
beforeAll(() => {
  hosts = plainHosts(folder);
  child = spawn(hosts.path, ['wait'], { cwd: folder, env: testEnvironment(hosts.env) });
});
afterAll(async () => {
  const end = finished(child);
  child.stdin?.end();
  expect(await end).toMatchObject({ code: 7, stderr: '' });
});

const client = (): Promise<BareClient> => openAgentOf(hosts.socketOf(child.pid!));
const code = (type: MallctlType) => MALLCTL_TYPES[type].code;
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
};
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const text = (value: string) => Buffer.from(`${value}\0`);

describe('values', () => {
  test('are read, refreshed and written', async () => {
    const agent = await client();
    const size = async (name: string) => {
      const { status, payload } = await agent.ask('read', readPayload(code('size_t'), name));
      expect([name, status, payload[0]]).toEqual([name, 0, code('size_t')]);
      return Number(payload.readBigUInt64LE(8));
    };
    expect(await size('stats.active')).toBeGreaterThanOrEqual(await size('stats.allocated'));

    const name = 'arenas.dirty_decay_ms';
    const write = (value: bigint) =>
      agent.ask('write', writePayload(code('ssize_t'), code('ssize_t'), name, u64(value)));
    await write(1234n);
    const { status, payload } = await write(10_000n);
    expect([status, payload.readBigInt64LE(8)]).toEqual([0, 1234n]);

    const dss = (value: string) =>
      agent.ask('write', writePayload(code('const char *'), 0, 'arena.0.dss', text(value)));
    expect(await dss('disabled')).toMatchObject({ status: 0, payload: Buffer.alloc(0) });
    const read = await agent.ask('read', readPayload(code('const char *'), 'arena.0.dss'));
    expect([read.status, read.payload.subarray(8).toString()]).toEqual([0, 'disabled']);
    expect((await dss('bogus')).status).toBe(EINVAL);
    expect((await dss('secondary')).status).toBe(0);
    const named = await agent.ask('read', readPayload(code('char []'), 'arena.0.name'));
    // A key of 5.3.1 on.
    expect([0, ENOENT]).toContain(named.status);
  });

  test('of the wrong size are not read, and the right one is said', async () => {
    const agent = await client();
    const { status, payload } = await agent.ask('read', readPayload(code('bool'), 'stats.allocated'));
    expect([status, payload.length, payload.readUInt32LE(4)]).toEqual([EINVAL, 8, 8]);
    const asText = await agent.ask('read', readPayload(code('const char *'), 'stats.allocated'));
    expect([asText.status, asText.payload.length]).toEqual([EINVAL, 8]);
  });

  test('that are none, or past the last index', async () => {
    const agent = await client();
    for (const name of [
      'nonsense',
      'stats.',
      '.',
      'x'.repeat(300),
      'arena.4096.dirty_decay_ms',
      'arenas.bin.99.size',
    ]) {
      expect((await agent.ask('read', readPayload(code('size_t'), name))).status, name).toBe(ENOENT);
    }
    const never = await agent.ask('write', writePayload(0, 0, 'arena.4000.purge'));
    expect([ENOENT, EFAULT]).toContain(never.status);
  });

  test('what could harm the host is refused', async () => {
    const agent = await client();
    for (const [key, row] of Object.entries(MALLCTL_KEYS)) {
      const name = key.replace('<i>', '0').replace('<j>', '0');
      const ofThread = key.startsWith('thread.');
      const file = key === 'prof.dump' || key.startsWith('prof.log_');
      const type = row.type === 'char []' ? code('const char *') : MALLCTL_TYPES[row.type].code;
      if (row.refused || ofThread || file) {
        const { status } = await agent.ask('write', writePayload(type, 0, name));
        expect([name, status]).toEqual([name, WIRE_STATUSES.refused]);
      }
      if (row.type === 'void' || !((row.refused && row.access === 'call') || ofThread)) continue;
      const { status } = await agent.ask('read', readPayload(MALLCTL_TYPES[row.type].code, name));
      expect([name, status]).toEqual([name, WIRE_STATUSES.refused]);
    }
  });
});

describe('samples', () => {
  const select = (names: readonly (readonly [string, number])[]) => {
    const count = Buffer.alloc(2);
    count.writeUInt16LE(names.length);
    return Buffer.concat([
      count,
      ...names.map(([name, type]) => Buffer.concat([Buffer.of(type, name.length), Buffer.from(name)])),
    ]);
  };
  const numbers = (payload: Buffer) =>
    Array.from({ length: payload.length / 8 - 1 }, (_, at) => payload.readDoubleLE(8 + at * 8));

  test('hold what was selected, in its order; NaN for what is not there, and for the agent’s own thread', async () => {
    const agent = await client();
    expect(await agent.ask('sample')).toMatchObject({ status: 0, payload: { length: 8 } });
    const keys = MAIN_COUNTER_KEYS.map((key) => [key, MALLCTL_TYPES[findMallctlKey(key)!.row.type].code] as const);
    const asked = [...keys, ['stats.nonsense', 4] as const, ['tcache.create', 2] as const];
    expect((await agent.ask('select', select(asked))).status).toBe(0);
    const { status, payload } = await agent.ask('sample');
    expect(status).toBe(0);
    const values = numbers(payload);
    expect(values).toHaveLength(asked.length);
    asked.forEach(([name], at) => {
      const absent = name.startsWith('thread.') || name === 'stats.nonsense' || name === 'tcache.create';
      expect([name, Number.isNaN(values[at])]).toEqual([name, absent]);
    });
    const of = (name: string) => values[asked.findIndex(([key]) => key === name)]!;
    expect(of('stats.active')).toBeGreaterThanOrEqual(of('stats.allocated'));
    const again = await agent.ask('sample');
    expect(again.payload.readBigUInt64LE(0)).toBeGreaterThan(payload.readBigUInt64LE(0));
    expect(numbers(again.payload)[asked.findIndex(([key]) => key === 'epoch')]).toBeGreaterThan(of('epoch'));
  });

  test('each connection has its own selection', async () => {
    const [one, other] = await Promise.all([client(), client()]);
    await one.ask('select', select([['stats.allocated', 4]]));
    expect((await other.ask('sample')).payload).toHaveLength(8);
    expect((await one.ask('sample')).payload).toHaveLength(16);
    await one.ask('select', select([]));
    expect((await one.ask('sample')).payload).toHaveLength(8);
  });
});

test('statistics, all of them and a few, as JSON and as text', async () => {
  const agent = await client();
  const whole = await agent.ask('stats', Buffer.from('J'));
  const few = await agent.ask('stats', Buffer.from('Jmdablxe'));
  const words = await agent.ask('stats', Buffer.from('mdablxe'));
  const allocated = ({ payload }: { payload: Buffer }) =>
    (JSON.parse(payload.toString()) as { jemalloc: { stats: { allocated: number } } }).jemalloc.stats.allocated;
  expect(allocated(whole)).toBeGreaterThan(0);
  expect(allocated(few)).toBeGreaterThan(0);
  expect(whole.payload.length).toBeGreaterThan(few.payload.length * 2);
  expect(words.payload.toString()).toMatch(/^___ Begin jemalloc statistics ___/);
});

test('pages go back: of one arena, and of all', async () => {
  const agent = await client();
  for (const operation of ['decay', 'purge'] as const) {
    expect(await agent.ask(operation, u32(0))).toMatchObject({ status: 0, payload: Buffer.alloc(0) });
    expect((await agent.ask(operation, u32(0xffff_ffff))).status).toBe(0);
    // 4096 is jemalloc's own number for all, which an index is not.
    for (const arena of [4000, 4096, 4097, 0xffff_fffe]) {
      expect([operation, arena, (await agent.ask(operation, u32(arena))).status]).toEqual([operation, arena, ENOENT]);
    }
  }
});

describe('heap profiles', () => {
  test('are switched, reset and written', async () => {
    const agent = await client();
    expect(await agent.ask('profActive', Buffer.of(1))).toMatchObject({ status: 0, payload: Buffer.of(0) });
    expect(await agent.ask('profActive', Buffer.of(0))).toMatchObject({ status: 0, payload: Buffer.of(1) });
    expect((await agent.ask('profReset', u64(13n))).status).toBe(0);
    expect((await agent.ask('profReset', u64(-1n))).status).toBe(0);
    const path = join(temporaryFolder(), 'a.heap');
    expect((await agent.ask('profDump', Buffer.from(path))).status).toBe(0);
    expect(readFileSync(path, 'utf8')).toMatch(/^heap_v2\/8192\n/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('by jemalloc’s own name they lie in the program’s working directory', async () => {
    const agent = await client();
    const before = new Set(readdirSync(folder));
    expect((await agent.ask('profDump')).status).toBe(0);
    const made = readdirSync(folder).filter((name) => !before.has(name));
    expect(made).toEqual([expect.stringMatching(new RegExp(`^jeprof\\.${child.pid}\\..*\\.heap$`))]);
  });

  test('never over what is there, through a link, or where nothing can be', async () => {
    const agent = await client();
    const place = temporaryFolder();
    const dump = async (path: string) => (await agent.ask('profDump', Buffer.from(path))).status;
    writeFileSync(join(place, 'precious'), 'data');
    symlinkSync(join(place, 'elsewhere'), join(place, 'link'));
    mkdirSync(join(place, 'folder'));
    expect(await dump(join(place, 'precious'))).toBe(EEXIST);
    expect(await dump(join(place, 'link'))).toBe(EEXIST);
    expect(await dump(join(place, 'folder'))).toBe(EEXIST);
    expect(await dump(join(place, 'no', 'folder.heap'))).toBe(ENOENT);
    expect(readFileSync(join(place, 'precious'), 'utf8')).toBe('data');
    expect(existsSync(join(place, 'elsewhere'))).toBe(false);
  });

  test('without profiling there is nothing to switch', async () => {
    const plain = spawn(hosts.path, ['wait'], { env: testEnvironment({ ...hosts.env, MALLOC_CONF: undefined }) });
    const end = finished(plain);
    const agent = await openAgentOf(hosts.socketOf(plain.pid!));
    expect((await agent.ask('profActive', Buffer.of(1))).status).toBe(ENOENT);
    expect((await agent.ask('profReset', u64(-1n))).status).toBe(ENOENT);
    expect((await agent.ask('profDump', Buffer.from('/tmp/never.heap'))).status).toBe(ENOENT);
    plain.stdin.end();
    expect(await end).toMatchObject({ code: 7, stderr: '' });
  });
});

test('without jemalloc it is there, and says so', async () => {
  const agentAlone = hosts.env['LD_PRELOAD']!.split(' ')[1];
  const plain = spawn(hosts.path, ['wait'], { env: testEnvironment({ ...hosts.env, LD_PRELOAD: agentAlone }) });
  const end = finished(plain);
  const agent = await openAgentOf(hosts.socketOf(plain.pid!));
  const hello = await agent.ask('hello');
  expect([hello.status, hello.payload.readUInt32LE(4)]).toEqual([0, 0]);
  const asked = [
    ['read', readPayload(4, 'stats.allocated')],
    ['write', writePayload(6, 0, 'epoch', u64(1n))],
    ['sample', Buffer.alloc(0)],
    ['stats', Buffer.from('J')],
    ['purge', u32(0)],
    ['profActive', Buffer.of(1)],
    ['profDump', Buffer.alloc(0)],
    ['profReset', u64(-1n)],
  ] as const;
  for (const [operation, payload] of asked) {
    expect([operation, (await agent.ask(operation, payload)).status]).toEqual([operation, WIRE_STATUSES.noJemalloc]);
  }
  plain.stdin.end();
  expect(await end).toMatchObject({ code: 7, stderr: '' });
});
