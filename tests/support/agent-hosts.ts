import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { compile, compileLibrary } from './compile.js';
import { AGENT } from './launching.js';
import { jemallocLibrary, ROOT, type RunOptions } from './programs.js';
import { type OpenOptions, openProgram, type RunningProgram } from './running-program.js';

/** The small program of tests/native/agent-host.c, and what it takes to run it with an agent in it. */
export interface AgentHosts {
  /** The program's path. */
  readonly path: string;
  /** JEMKIT_AGENT_DIR. */
  readonly directory: string;
  readonly env: NonNullable<RunOptions['env']>;
  open(mode: readonly string[], options?: OpenOptions): RunningProgram;
  /** Where the agent of a process has its socket. */
  socketOf(pid: number, user?: number): string;
}

/** Hosts under the published agent and jemalloc. */
export function plainHosts(folder: string): AgentHosts {
  return hosts(folder, 'plain', {
    LD_PRELOAD: `${jemallocLibrary()} ${AGENT}`,
    MALLOC_CONF: 'prof:true,prof_active:false',
  });
}

/** Hosts under an agent built with the address and undefined-behaviour sanitizers, which bring their own malloc; jemalloc's control interface is a small one of ours. */
export function sanitizedHosts(folder: string): AgentHosts {
  execFileSync(process.execPath, [join(ROOT, 'native', 'build.mjs'), '--sanitize', '--into', folder]);
  const sanitizer = execFileSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  const source = readFileSync(join(ROOT, 'tests', 'support', 'mallctl', 'fake-jemalloc.c'), 'utf8');
  const fake = compileLibrary(folder, 'fake.so', source, ['-DPREFIX=je_']);
  return hosts(folder, 'sanitized', {
    LD_PRELOAD: `${sanitizer} ${fake} ${join(folder, 'libjemkit.so')}`,
    ASAN_OPTIONS: 'detect_leaks=0',
  });
}

function hosts(folder: string, name: string, variables: NonNullable<RunOptions['env']>): AgentHosts {
  const source = readFileSync(join(ROOT, 'tests', 'native', 'agent-host.c'), 'utf8');
  const path = compile(folder, `host-${name}`, source, ['-pthread', '-I', join(ROOT, 'tests', 'native')]);
  const directory = join(folder, `sockets-${name}`);
  mkdirSync(directory, { mode: 0o777 });
  const env = { ...variables, JEMKIT_AGENT: '1', JEMKIT_AGENT_DIR: directory };
  return {
    path,
    directory,
    env,
    open: (mode, options = {}) => openProgram(path, mode, { ...options, env: { ...env, ...options.env } }),
    socketOf: (pid, user = process.geteuid!()) => join(directory, `jemkit-${user}`, `${pid}.sock`),
  };
}

/** The thread of a process that is its agent's, by its name. */
export function agentThread(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map(Number);
    return threads.find((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8') === 'jemkit-agent\n');
  } catch {
    return undefined;
  }
}

/** What the descriptors of an agent's own table are. */
export function agentDescriptors(pid: number): string[] {
  const folder = `/proc/${pid}/task/${agentThread(pid)}/fd`;
  return readdirSync(folder).flatMap((number) => {
    try {
      return [readlinkSync(join(folder, number))];
    } catch {
      return [];
    }
  });
}

/** How many clients an agent has: its sockets but the one it listens on. */
export function clientsOf(pid: number): number {
  return agentDescriptors(pid).filter((link) => link.startsWith('socket:')).length - 1;
}
