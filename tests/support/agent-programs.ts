import { join } from 'node:path';
import { AGENT } from './launching.js';
import { agentOf } from './observed-program.js';
import { jemallocLibrary } from './programs.js';
import { openProgram, type RunningProgram } from './running-program.js';

/** The environment of a program with an agent, and with jemalloc unless it is to have none. */
export function agentEnvironment(sockets: string, jemalloc: boolean): Record<string, string> {
  const libraries = jemalloc ? [AGENT, jemallocLibrary()] : [AGENT];
  return { LD_PRELOAD: libraries.join(':'), JEMKIT_AGENT: '1', JEMKIT_AGENT_DIR: sockets };
}

/** Starts a program with an agent, and waits until the agent answers. */
export async function openWithAgent(
  sockets: string,
  path: string,
  args: readonly string[],
  options: { readonly jemalloc?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<RunningProgram> {
  const env = { ...agentEnvironment(sockets, options.jemalloc ?? true), ...options.env };
  const program = openProgram(path, args, { env });
  (await agentOf(program.pid)).close();
  return program;
}

/** A redis-server without network and files, under a Unix socket. */
export async function openRedis(
  sockets: string,
  folder: string,
): Promise<{ readonly program: RunningProgram; readonly socket: string }> {
  const socket = join(folder, 'redis.sock');
  const args = [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--save',
    '',
    '--dir',
    folder,
    '--enable-debug-command',
    'local',
  ];
  return { program: await openWithAgent(sockets, 'redis-server', args), socket };
}
