import { isSystemError, JemkitError } from '../../errors.js';
import * as native from '../../native.js';
import { readFileSync } from '../../sources/file-system.js';
import { inferInheritedDescriptors, readOwnDescriptors } from '../../sources/procfs/inherited-descriptors.js';
import { parseLimit } from '../../sources/procfs/limits.js';
import { readStartEnvironment } from '../../sources/procfs/process-strings.js';

/** Node takes these out of the environment when it starts; the program that follows needs them to talk to its parent. */
const CHANNEL_VARIABLES = ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID'] as const;

/** The environment block this process was started with, or none where the system does not show it. */
function startEnvironment(): Map<string, string> {
  try {
    return readStartEnvironment('self');
  } catch (error) {
    if (isSystemError(error)) return new Map();
    throw error;
  }
}

/** The IPC channel of this process, as its parent described it in the environment. */
function inheritedChannel(): {
  readonly descriptors: readonly number[];
  readonly variables: Readonly<Record<string, string>>;
} {
  // Without a channel, or after it was closed: then its descriptor may be another file's.
  if (!process.connected) return { descriptors: [], variables: {} };
  const start = startEnvironment();
  const descriptor = Number(start.get('NODE_CHANNEL_FD'));
  const variables: Record<string, string> = {};
  for (const name of CHANNEL_VARIABLES) {
    const value = start.get(name);
    if (value !== undefined) variables[name] = value;
  }
  return { descriptors: Number.isInteger(descriptor) && descriptor > 2 ? [descriptor] : [], variables };
}

/** The descriptors this process was given, which Node has marked close-on-exec. */
function inheritedDescriptors(hasRun: boolean): number[] {
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  const mayListen = hasRun && process.env['LISTEN_FDS'] === undefined;
  return inferInheritedDescriptors(readOwnDescriptors(), mayListen || flags.includes('--inspect'));
}

/**
 * Node raises its soft limit of open files to the hard one when it starts. Programs that use select() or close every possible
 * descriptor suffer from that, so the parent's soft limit, which was ours before, is put back.
 *
 * @returns what undoes it.
 */
export function restoreOpenFilesLimit(): () => void {
  try {
    const own = parseLimit(readFileSync('/proc/self/limits', 'latin1'), 'Max open files');
    const parents = parseLimit(readFileSync(`/proc/${process.ppid}/limits`, 'latin1'), 'Max open files');
    if (own && parents && own.hard === parents.hard && parents.soft < own.soft) {
      native.setOpenFilesSoftLimit(parents.soft);
      return () => native.setOpenFilesSoftLimit(own.soft);
    }
  } catch (error) {
    // Another user's parent, or no /proc: the limit stays as Node set it.
    if (!isSystemError(error)) throw error;
  }
  return () => {};
}

/**
 * systemd starts services with SIGPIPE ignored (IgnoreSIGPIPE=), and a server written for that dies of the first closed connection
 * without it. What we were given cannot be seen any more, because Node ignores the signal itself.
 */
function startedBySystemd(): boolean {
  if (process.env['INVOCATION_ID'] === undefined) return false;
  try {
    return readFileSync(`/proc/${process.ppid}/comm`, 'latin1') === 'systemd\n';
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** Changes the environment; returns what undoes it. Only the variables named are touched: others may hold bytes that are no UTF-8. */
function applyEnvironment(changes: Readonly<Record<string, string | undefined>>): () => void {
  const before = Object.keys(changes).map((name) => [name, process.env[name]] as const);
  for (const [name, value] of Object.entries(changes)) {
    // Twice in the block, a variable would be set at its first place and read by the loader at its last.
    delete process.env[name];
    if (value !== undefined) process.env[name] = value;
  }
  return () => void applyEnvironment(Object.fromEntries(before));
}

/** How to become another program. */
export interface Replacement {
  readonly path: string;
  readonly argv: readonly Buffer[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** This process may have run a program's code already, whose own sockets the next one must not inherit. */
  readonly hasRun?: boolean;
}

/**
 * Replaces this process: same pid, standard streams, terminal, IPC channel, working directory and signal mask. If the system
 * refuses, everything is as before.
 *
 * @returns the name of the system's error (`EACCES`), or `no-addon`; never on success.
 */
export function replaceProcess({ path, argv, environment, hasRun = false }: Replacement): string {
  if (native.nativeStatus().kind === 'missing') return 'no-addon';
  const channel = inheritedChannel();
  const descriptors = new Set([...inheritedDescriptors(hasRun), ...channel.descriptors]);
  const restoreEnvironment = applyEnvironment({ ...environment, ...channel.variables });
  const restoreLimit = restoreOpenFilesLimit();
  for (const descriptor of descriptors) native.setInheritable(descriptor, true);

  const error = native.replaceProcess(path, argv, startedBySystemd());

  for (const descriptor of descriptors) native.setInheritable(descriptor, false);
  restoreLimit();
  restoreEnvironment();
  return error === undefined ? 'no-addon' : errorName(error);
}

/** Not util.getSystemErrorName, which knows libuv's errors only: ENOEXEC is none. */
function errorName(number: number): string {
  const { errno } = process.getBuiltinModule('node:os').constants;
  return Object.entries(errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
}

/** The signals that a stand-in for a program hands on to it. */
export const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
];

/**
 * The stand-in for {@link replaceProcess} where there is no addon: a child with the same streams, to which signals are forwarded.
 * Where a signal ends the child, the same one ends this process.
 *
 * @returns the child's exit code, or 128 plus the signal's number.
 */
export function runAsChild({ path, argv, environment }: Replacement): Promise<number> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const { signals } = process.getBuiltinModule('node:os').constants;
  const [argv0, ...rest] = argv.map((argument) => argument.toString());
  const child = spawn(path, rest, {
    ...(argv0 === undefined ? {} : { argv0 }),
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new JemkitError('ERR_JEM_PROGRAM_NOT_EXECUTABLE', `cannot execute ${path}: ${cause.message}`, { cause })),
    );
    child.on('exit', (code, signal) => {
      if (signal) {
        for (const name of FORWARDED) process.removeListener(name, forward);
        process.kill(process.pid, signal);
      }
      // SIGPIPE, which Node ignores, does not end it.
      setTimeout(() => resolve(signal ? 128 + signals[signal] : (code ?? 70)), signal ? 100 : 0);
    });
  });
}
