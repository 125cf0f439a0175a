import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRedis, openWithAgent } from '../support/agent-programs.js';
import { driveJem } from '../support/driven-terminal.js';
import { folderForFile } from '../support/launching.js';
import { agentOf, socketFolder, until } from '../support/observed-program.js';
import { ROOT, jem as runJem, runProgram } from '../support/programs.js';
import { openJem, openProgram, type RunningProgram } from '../support/running-program.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { JEMKIT_AGENT_DIR: sockets, JEMKIT_CACHE_DIR: join(folder, 'cache') };
const jem = (...args: string[]) => runJem(args, { env });

async function json(...args: string[]): Promise<Record<string, never>> {
  const { code, stdout, stderr } = await jem('stats', '--json', ...args);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<string, never>;
}

/** Holds 1 of 8 of the blocks it made, and answers each line it is sent after allocating again. */
const NODE = `
const kept = [];
const fill = () => { for (let i = 0; i < 80000; i++) kept.push(Buffer.allocUnsafeSlow(300)); };
const thin = () => { for (let i = 0; i < kept.length; i++) if (i % 8) kept[i] = undefined; };
fill(); thin();
process.stdin.on('data', () => { fill(); console.log('filled'); });
console.log('ready');`;

async function openNode(): Promise<RunningProgram> {
  const program = await openWithAgent(sockets, process.execPath, ['--expose-gc', '-e', NODE]);
  expect(await program.line()).toBe('ready');
  return program;
}

/** A redis that has lost 7 of 8 of its keys: half-empty slabs. */
async function openFragmentedRedis() {
  const redis = await openRedis(sockets, mkdtempSync(join(folder, 'redis-')));
  const cli = (...args: string[]) => runProgram('redis-cli', ['-s', redis.socket, ...args]);
  await until('redis', async () => (await cli('ping')).stdout === 'PONG\n');
  expect((await cli('debug', 'populate', '100000', 'k', '300')).stdout).toBe('OK\n');
  const script = "for i=1,100000 do if i%8~=0 then redis.call('del','k:'..i) end end";
  expect((await cli('eval', script, '0')).code).toBe(0);
  return redis;
}

describe('the page', () => {
  test('of a fragmented redis: figures that fit together, the wasteful class, and what to type next', async () => {
    const { program } = await openFragmentedRedis();
    const pid = String(program.pid);
    const report = await json(pid);
    const { jemalloc, process, waste, remark } = report as unknown as {
      jemalloc: Record<string, number>;
      process: Record<string, number>;
      waste: {
        wasteBytes: number;
        classes: { wasteBytes: number; regions: number; slabs: number; sizeBytes: number; regionsPerSlab: number }[];
      };
      remark: { id: string; next: string };
    };
    expect(report).toMatchObject({ pid: program.pid, name: 'redis-server', agent: { place: 'preloaded' } });
    expect(jemalloc['allocatedBytes']).toBeGreaterThan(1e6);
    expect(jemalloc['activeBytes']).toBeGreaterThan(jemalloc['allocatedBytes']!);
    expect(jemalloc['residentBytes']).toBeGreaterThanOrEqual(jemalloc['activeBytes']!);
    expect(process['residentBytes']).toBeGreaterThan(jemalloc['activeBytes']! / 2);
    expect(process['peakResidentBytes']).toBeGreaterThanOrEqual(process['residentBytes']!);
    for (const { wasteBytes, regions, slabs, sizeBytes, regionsPerSlab } of waste.classes)
      expect(wasteBytes).toBe((slabs * regionsPerSlab - regions) * sizeBytes);
    expect(waste.wasteBytes).toBeGreaterThan(10e6);
    expect(report['fragmentation']).toBeGreaterThan(0.5);
    expect(remark).toMatchObject({ id: 'fragmentation', next: `jem stats ${pid} --bins` });

    const { code, stdout } = await jem('stats', pid);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^redis-server, pid ${pid}, user \\S+\n`));
    expect(stdout).toMatch(/^ {2}allocated +[\d.]+ MiB {2}what the program holds$/m);
    expect(stdout).toMatch(/^ {2}background +\d+ threads? {2}ran/m);
    expect(stdout).toMatch(
      /hold nothing: fragmentation; [\d.]+ MiB of it between blocks of \d+ B\.\nNext: jem stats \d+ --bins\n$/,
    );
  });

  test('of node, watched while it allocates', async () => {
    const program = await openNode();
    const watching = openJem(['stats', '--json', String(program.pid), '--watch=0.2'], { env });
    const first = JSON.parse(await watching.line());
    expect(first.rates).toBeUndefined();
    program.child.stdin?.write('\n');
    expect(await program.line()).toBe('filled');
    const grown = await until('a look with a rate', async () => {
      const { rates } = JSON.parse(await watching.line());
      return rates.requestsPerSecond > 10_000 && rates;
    });
    expect(grown.overMs).toBeGreaterThan(100);
    expect(grown.allocatedBytesPerSecond).toBeGreaterThan(0);
    await program.end();
    const end = await watching.finished;
    expect(end.code).toBe(3);
    expect(end.stderr).toMatch(new RegExp(`^jem: (no process ${program.pid}:|process ${program.pid} ended)`));
  });

  test('of node with the addon has V8’s figures', async () => {
    const script = `import { createMemory } from ${JSON.stringify(join(ROOT, 'dist', 'entry', 'index.js'))};
createMemory();
process.stdin.resume();
console.log('ready');`;
    const path = join(folder, 'with-addon.mjs');
    writeFileSync(path, script);
    const program = openProgram(process.execPath, [path], { env: { JEMKIT_AGENT_DIR: sockets } });
    expect(await program.line()).toBe('ready');
    await until('the addon', async () => {
      const agent = await agentOf(program.pid);
      agent.close();
      return agent.hello.place === 'addon';
    });
    const report = await json(String(program.pid));
    expect(report).toMatchObject({ agent: { place: 'addon' }, v8: { isolates: 1 } });
    expect(report['jemalloc']).toBeUndefined();
    expect((await jem('stats', String(program.pid))).stdout).toMatch(/^V8\n {2}heap /m);
  });

  test('of a process with an agent and without jemalloc: what the kernel says, and no zeros', async () => {
    const program = await openWithAgent(sockets, '/usr/bin/python3', ['-c', 'input()'], { jemalloc: false });
    const { code, stdout, stderr } = await jem('stats', String(program.pid));
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/another allocator than jemalloc; jem doctor \d+ says which/),
    ]);
    expect(stdout).toMatch(/^ {2}RSS +[\d.]+ MiB /m);
    expect(stdout).toMatch(/jemalloc +- {2}not in this process$/m);
    expect(stdout).not.toMatch(/allocated|0 B {2}/);
    for (const option of ['--bins', '--arenas', '--raw']) {
      const refused = await jem('stats', String(program.pid), option);
      expect([refused.code, refused.stdout]).toEqual([3, '']);
      expect(refused.stderr).toMatch(
        /is served by glibc's malloc, not jemalloc\n {2}hint: start it with one: jem run --agent/,
      );
    }
  });
});

describe('the tables', () => {
  test('are what jemalloc says at that moment', async () => {
    const { program } = await openFragmentedRedis();
    const pid = String(program.pid);

    const { arenas, merged } = (await json(pid, '--arenas')) as unknown as {
      arenas: { activeBytes: number; threads: number; dirtyDecayMs: number; bins?: unknown }[];
      merged: { activeBytes: number };
    };
    expect(arenas.reduce((sum, { activeBytes }) => sum + activeBytes, 0)).toBe(merged.activeBytes);
    expect(arenas[0]?.threads).toBeGreaterThan(0);
    expect(arenas[0]?.bins).toBeUndefined();

    const bins = (await jem('stats', pid, '--bins')).stdout.split('\n');
    expect(bins[2]).toMatch(/^ +SIZE +WASTE +USED/);
    expect(bins[3]).toMatch(/^ *320 B +[\d.]+ MiB +1\d\.\d %/);

    const extents = (await jem('stats', pid, '--extents')).stdout;
    expect(extents).toMatch(/Unused extents\n.*\n[\s\S]*^ +all .*\n\nLarge allocations\n/m);

    const { mutexes } = (await json(pid, '--mutexes')) as unknown as { mutexes: Record<string, number | string>[] };
    const dirty = mutexes.find(({ name }) => name === 'extents_dirty');
    // From 5.2.0 to 5.3.0 these are not in the JSON, so they were read key by key.
    expect(dirty?.['operations']).toBeGreaterThan(0);
    const agent = await agentOf(program.pid);
    try {
      const later = await agent.read('stats.arenas.4096.mutexes.extents_dirty.num_owner_switch');
      expect(later).toMatchObject({ kind: 'value' });
      expect(dirty?.['ownerSwitches']).toBeLessThanOrEqual(Number((later as { value: bigint }).value));
    } finally {
      agent.close();
    }
    expect(dirty?.['totalWaitNs']).toEqual(expect.any(Number));

    const raw = (await jem('stats', pid, '--raw', '--bins')).stdout;
    expect(raw).toMatch(/^___ Begin jemalloc statistics ___\n[\s\S]*--- End jemalloc statistics ---\n$/);
    expect(raw).toMatch(/^bins:/m);
    expect(raw).not.toMatch(/^extents:|^arenas\[0\]/m);
  });

  test('may be several at once', async () => {
    const program = await openNode();
    const { stdout } = await jem('stats', String(program.pid), '--arenas', '--bins', '--mutexes');
    const heads = stdout.split('\n').filter((line) => /^ *[A-Z]{4,} /.test(line));
    expect(heads.map((line) => line.trim().split(' ')[0])).toEqual(['ARENA', 'SIZE', 'MUTEX']);
    const both = await json(String(program.pid), '--bins', '--extents');
    expect(Object.keys(both)).toEqual(['pid', 'name', 'atMs', 'bins', 'extents']);
  });
});

test('on a terminal a watch draws over itself, and Ctrl-C ends it', async () => {
  const program = await openNode();
  const { output, signal } = await driveJem(
    ['stats', '--watch', String(program.pid)],
    [{ expect: 'requests' }, { type: '\u0003' }],
    env,
  );
  expect(signal).toBe(2);
  expect(output.split('\u001b[H\u001b[2J').length).toBeGreaterThanOrEqual(3);
});

describe('a target that cannot be asked', () => {
  test('has no agent: said so, with its allocator and how to start it', async () => {
    const program = openProgram('/usr/bin/python3', ['-c', 'print("ready", flush=True); input()']);
    await program.line();
    const { code, stdout, stderr } = await jem('stats', String(program.pid));
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/has no agent of jemkit that could be asked; it is served by glibc's malloc, not jemalloc/);
    expect(stderr).toMatch(/hint: start it with one: jem run --agent -- python3/);
  });

  test.each([
    [['999999999'], 2, /is no pid/],
    [['4194303'], 3, /no process 4194303/],
    [['no-such-program-here'], 3, /called 'no-such-program-here'/],
    [['--watch', '0'], 2, /--watch '0' is no interval/],
    [['--watch=x', '1'], 2, /--watch 'x' is no interval/],
    [['--raw', '--json'], 2, /exclude each other/],
    [['--bin'], 2, /did you mean --bins\?/],
  ])('%j', async (args, expected, message) => {
    const { code, stdout, stderr } = await jem('stats', ...args);
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(message);
  });
});
