import { chmodSync, mkdtempSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { collectStaleSockets } from '../../src/control/agent/collect-stale-sockets.js';
import type { JemallocFigures } from '../../src/model/memory-sample.js';
import type { AgentConnection } from '../../src/sources/agent/agent-connection.js';
import { openAgent } from '../../src/sources/agent/open-agent.js';

const DEADLINE_MS = 15_000;

/** A folder for the agents' sockets of a test file below another, which programs of every user can use. */
export function socketFolder(folder: string): string {
  const sockets = mkdtempSync(join(folder, 'sockets-'));
  for (const path of [folder, sockets]) chmodSync(path, 0o755);
  // As /tmp is: whoever a daemon becomes makes a folder of its own there.
  chmodSync(sockets, 0o1777);
  // Programs that set their title write over their environment: then whoever looks for them must know the folder.
  process.env['JEMKIT_AGENT_DIR'] = sockets;
  afterAll(() => void delete process.env['JEMKIT_AGENT_DIR']);
  return sockets;
}

/** Waits until a condition holds; fails with what it was for after 15 s. */
export async function until<Value>(
  what: string,
  condition: () => Value | undefined | false | Promise<Value | undefined | false>,
): Promise<Value> {
  for (const deadline = Date.now() + DEADLINE_MS; ; ) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited ${DEADLINE_MS / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The agent of a process, which opens its socket some time after the start (or the fork). */
export async function agentOf(pid: number): Promise<AgentConnection> {
  let last = '';
  try {
    return await until(`the agent of ${pid}`, async () => {
      const opening = await openAgent(pid);
      last = JSON.stringify(opening.kind === 'open' ? opening.agent.hello : opening);
      return opening.kind === 'open' && opening.agent;
    });
  } catch (error) {
    throw new Error(`no agent in process ${pid}, the last answer was ${last}`, { cause: error });
  }
}

/**
 * Samples until the figures fit together. At rest they do at once; while other threads allocate, jemalloc adds them up over some
 * microseconds, in which an allocation may be counted and its page not.
 */
function sampleThatFits(agent: AgentConnection): Promise<JemallocFigures> {
  return until('figures that fit together', async () => {
    const figures = await agent.sample();
    const { allocatedBytes = 0, activeBytes = 0, mappedBytes = 0 } = figures ?? {};
    return allocatedBytes > 0 && activeBytes >= allocatedBytes && mappedBytes >= activeBytes && figures;
  });
}

/** Reads statistics of a process over its socket. */
export async function observe(pid: number): Promise<void> {
  const agent = await agentOf(pid);
  try {
    expect(agent.hello).toMatchObject({
      pid,
      place: 'preloaded',
      jemallocVersion: expect.stringMatching(/^\d+\.\d+/),
    });
    await sampleThatFits(agent);
    expect(await agent.read('opt.narenas')).toMatchObject({ kind: 'value' });
    expect(JSON.parse(await agent.statsText('Jmdablxe'))).toHaveProperty('jemalloc');
  } finally {
    agent.close();
  }
}

/** {@link observe}, then samples until they have moved, which shows that the process is at work between two of them. */
export async function observeAtWork(pid: number): Promise<void> {
  await observe(pid);
  const agent = await agentOf(pid);
  try {
    const first = await sampleThatFits(agent);
    await until(`more allocations in ${pid}`, async () => {
      const next = await sampleThatFits(agent);
      return (next.allocations ?? 0) > (first.allocations ?? Number.NaN);
    });
  } finally {
    agent.close();
  }
}

/** Children of a process, by pid. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' '))
      .filter(Boolean)
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** True until a process is gone, or a zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

/** The names of a process's threads. Not jemalloc's own, which come when there is something to do. */
export function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'latin1').trim())
    .filter((name) => name !== 'jemalloc_bg_thd')
    .sort();
}

/** The real, effective and saved user of a process. */
export function usersOf(pid: number): number[] {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return (/^Uid:\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(status) ?? []).slice(1).map(Number);
}

/** The sockets in a folder of agents. */
export function socketsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Waits for the end of processes, and checks that they leave no socket. */
export async function expectNothingLeft(folder: string, pids: readonly number[]): Promise<void> {
  for (const pid of pids) await until(`the end of ${pid}`, () => !isAlive(pid));
  expect(socketsIn(folder)).toEqual([]);
}

/**
 * The same for processes of which some end by `_exit` or a signal, so that nothing in them runs any more: their sockets are what the
 * next command of jem collects once they are a minute old.
 */
export async function expectNothingToStay(folder: string, pids: readonly number[]): Promise<void> {
  for (const pid of pids) await until(`the end of ${pid}`, () => !isAlive(pid));
  const longAgo = Date.now() / 1000 - 120;
  for (const path of socketsIn(folder)) utimesSync(path, longAgo, longAgo);
  await collectStaleSockets({ JEMKIT_AGENT_DIR: folder }, process.geteuid?.());
  expect(socketsIn(folder)).toEqual([]);
}
