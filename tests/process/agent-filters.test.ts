import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAgent } from '../../src/sources/agent/open-agent.js';
import { until } from '../support/agent-client.js';
import { compile } from '../support/compile.js';
import { AGENT, folderForFile, launchEnvironment } from '../support/launching.js';
import { JEM, jemallocLibrary, ROOT, runProgram, temporaryFolder } from '../support/programs.js';
import { openProgram } from '../support/running-program.js';

const folder = folderForFile();
let filtered: string;
let env: Record<string, string>;
beforeAll(() => {
  const source = readFileSync(join(ROOT, 'tests', 'native', 'filtered.c'), 'utf8');
  filtered = compile(folder, 'filtered', source, ['-I', join(ROOT, 'tests', 'native')]);
});
beforeEach(() => {
  env = { ...launchEnvironment(temporaryFolder()), JEMKIT_AGENT_DIR: temporaryFolder() };
});

const CONTAINER = ['eperm:unshare,setns,mount,keyctl,ptrace,userfaultfd,pidfd_getfd', 'enosys:clone3'];
const WAIT = ['node', '-e', "console.log('ready'); process.stdin.resume()"];

/** `jem` under filters. */
const jemUnder = (filters: readonly string[], args: readonly string[]) =>
  runProgram(filtered, [...filters, '--', process.execPath, JEM, ...args], { env });

const openUnder = (filters: readonly string[], args: readonly string[]) =>
  openProgram(filtered, [...filters, '--', process.execPath, JEM, ...args], { env });

/** An agent answers in this process. */
async function expectAnswer(pid: number): Promise<void> {
  const opening = await until(async () => {
    const tried = await openAgent(pid);
    return tried.kind === 'open' ? tried : undefined;
  }, 'an agent');
  expect((await opening.agent.sample())?.allocatedBytes).toBeGreaterThan(0);
  opening.agent.close();
}

describe('jem run under filters as a container has them', () => {
  test.each([
    ['by default', []],
    ['--agent', ['--agent']],
    ['--no-children', ['--agent', '--no-children']],
  ])('%s: the agent answers', async (_name, options) => {
    const node = openUnder(CONTAINER, ['run', ...options, '--', ...WAIT]);
    expect(await node.line()).toBe('ready');
    await expectAnswer(node.pid);
    expect(await node.end()).toMatchObject({ code: 0, stderr: '' });
  });

  test('what the program starts has its own; with --no-children nothing is left in its environment', async () => {
    const show =
      'console.log(Object.keys(process.env).filter((name) => /JEMKIT_(AGENT|SCOPE)|LD_PRELOAD/.test(name)).sort().join())';
    const start = `console.log(require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(show)}], { encoding: 'utf8' }))`;
    const names = async (options: string[]) =>
      (await jemUnder(['allow'], ['run', ...options, '--', 'node', '-e', start])).stdout.trim();
    expect(await names(['--agent'])).toBe('JEMKIT_AGENT,JEMKIT_AGENT_DIR,JEMKIT_AGENT_FILTERS,LD_PRELOAD');
    expect(await names(['--agent', '--no-children'])).toBe('JEMKIT_AGENT_DIR');
    expect(await names(['--no-agent'])).toBe('JEMKIT_AGENT,JEMKIT_AGENT_DIR,LD_PRELOAD');
  });

  test('the answer of another filter is not taken from the cache, nor kept in it', async () => {
    const print = async (filters: string[]) =>
      JSON.parse((await jemUnder(filters, ['run', '--print', '--json', '--', 'node'])).stdout);
    const free = JSON.parse(
      (await runProgram(process.execPath, [JEM, 'run', '--print', '--json', '--', 'node'], { env })).stdout,
    );
    expect(free.environment).not.toHaveProperty('JEMKIT_AGENT_FILTERS');
    expect(await print(['allow'])).toMatchObject({
      agent: { kind: 'preloaded' },
      environment: { JEMKIT_AGENT_FILTERS: expect.stringMatching(/^1-/) },
    });
    expect(await print(['kill:accept4'])).toMatchObject({ agent: { kind: 'left-out', reason: 'filtered' } });
    expect(await print(['allow', 'allow'])).toMatchObject({
      environment: { JEMKIT_AGENT_FILTERS: expect.stringMatching(/^2-/) },
    });
    expect(readFileSync(join(env['JEMKIT_CACHE_DIR'] ?? '', 'probes.json'), 'utf8')).not.toContain('filters');
  });
});

describe('jem run under a filter that the agent cannot bear', () => {
  test.each([
    ['kill:close_range', /the seccomp filter here ends a process that calls close_range/],
    ['kill-thread:bind', /ends a process that calls bind/],
    ['eperm:listen', /refuses listen \(errno 1\)/],
  ])('%s: the program has jemalloc, and --print and --agent say why it has no agent', async (filter, cause) => {
    const { stdout } = await jemUnder([filter], ['run', '--print', '--', 'node']);
    expect(stdout).toMatch(/^# without the agent: .*; remedy: /m);
    expect(stdout).toMatch(cause);
    const line = await jemUnder([filter], ['run', '--agent', '--', 'node', '-p', 'process.env.LD_PRELOAD']);
    expect(line).toMatchObject({ code: 0, stdout: `${jemallocLibrary()}\n` });
    expect(line.stderr).toMatch(/^jem: started without the agent: [^\n]*; remedy: [^\n]*\n$/);
    expect(line.stderr).toMatch(cause);
    const silent = await jemUnder([filter], ['run', '--', 'node', '-p', '1']);
    expect(silent).toMatchObject({ code: 0, stdout: '1\n', stderr: '' });
  });

  test('a sandbox on the way, which adds its own: nobody dies of an agent', async () => {
    const words = [
      'run',
      '--agent',
      '--',
      filtered,
      'kill:socket,bind,close_range',
      '--',
      'sh',
      '-c',
      'echo out; exit 5',
    ];
    expect(await jemUnder(['allow'], words)).toMatchObject({ code: 5, stdout: 'out\n', stderr: '' });
    expect(await jemUnder([], words)).toMatchObject({ code: 5, stdout: 'out\n', stderr: '' });
    const { stdout } = await jemUnder(['allow'], ['run', '--print', '--agent', '--', 'sh']);
    expect(stdout).toContain(AGENT);
  });
});

test('jemkit/auto proves it for the addon', async () => {
  const file = join(ROOT, 'dist');
  const program = `import '${file}/auto.js'; const { createMemory } = await import('${file}/index.js');
    const memory = await createMemory(); console.log('ready'); process.stdin.once('close', () => process.exit(7)).resume();`;
  const args = ['--input-type=module', '-e', program];
  const node = openProgram(filtered, [...CONTAINER, '--', process.execPath, '--import', `${file}/auto.js`, ...args], {
    env,
  });
  expect(await node.line()).toBe('ready');
  await expectAnswer(node.pid);
  expect((await node.end()).code).toBe(7);
});
