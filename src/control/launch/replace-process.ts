import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { isSystemError, JemkitError } from '../../errors.js';
import * as native from '../../native.js';
import { inferInheritedDescriptors, readOwnDescriptors } from '../../sources/procfs/inherited-descriptors.js';
import { readStartEnvironment } from '../../sources/procfs/process-strings.js';
import { parseLimits } from '../../sources/procfs/limits.js';

/** Node takes these out of the environment when it starts; the program that follows needs them to talk to its parent. */
const CHANNEL_VARIABLES = ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID'] as const;

/** The environment block this process was started with, or none where the system does not show it. */
export function startEnvironment(): Map<string, string> {
  try {
    return readStartEnvironment('self');
  } catch (error) {
    if (isSystemError(error)) return new Map();
    throw error;
  }
}

/** Hands the IPC channel on: its variables, and its descriptor, which Node marks close-on-exec. */
function passChannelOn(): void {
  const start = startEnvironment();
  const descriptor = Number(start.get('NODE_CHANNEL_FD'));
  for (const name of CHANNEL_VARIABLES) {
    const value = start.get(name);
    if (value !== undefined) process.env[name] = value;
  }
  if (Number.isInteger(descriptor) && descriptor > 2) native.setInheritable(descriptor, true);
}

/** Hands on the descriptors this process was given, which Node has marked close-on-exec. */
function passDescriptorsOn(): void {
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  for (const descriptor of inferInheritedDescriptors(readOwnDescriptors(), flags.includes('--inspect'))) {
    native.setInheritable(descriptor, true);
  }
}

/**
 * Node raises its soft limit of open files to the hard one when it starts. Programs that use select() or close every possible
 * descriptor suffer from that, so the parent's soft limit, which was ours before, is put back.
 */
function restoreOpenFilesLimit(): void {
  try {
    const own = parseLimits(readFileSync('/proc/self/limits', 'latin1'))['Max open files'];
    const parents = parseLimits(readFileSync(`/proc/${process.ppid}/limits`, 'latin1'))['Max open files'];
    if (own && parents?.soft !== undefined && own.hard === parents.hard && parents.soft < (own.soft ?? Infinity)) {
      native.setOpenFilesSoftLimit(parents.soft);
    }
  } catch (error) {
    // Another user's parent, or no /proc: the limit stays as Node set it.
    if (!isSystemError(error)) throw error;
  }
}

function applyEnvironment(changes: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

/** How to become another program. */
export interface Replacement {
  readonly path: string;
  readonly argv: readonly Buffer[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Replaces this process: same pid, standard streams, terminal, IPC channel, working directory and signal mask.
 * `process.env` is changed first and put back if the system refuses.
 *
 * @returns the name of the system's error (`EACCES`), or `no-addon`; never on success.
 */
export function replaceProcess({ path, argv, environment }: Replacement): string {
  if (native.nativeStatus().kind === 'missing') return 'no-addon';
  const before = { ...process.env };
  applyEnvironment(environment);
  passDescriptorsOn();
  passChannelOn();
  restoreOpenFilesLimit();
  const error = native.replaceProcess(path, argv);
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  applyEnvironment(before);
  return error === undefined ? 'no-addon' : getSystemErrorName(-error);
}

const FORWARDED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'];

/**
 * The stand-in for {@link replaceProcess} where there is no addon: a child with the same streams, to which signals are forwarded.
 *
 * @returns the child's exit code, or 128 plus the signal's number.
 */
export function runAsChild({ path, argv, environment }: Replacement): Promise<number> {
  const [argv0, ...rest] = argv.map((argument) => argument.toString());
  const child = spawn(path, rest, {
    ...(argv0 === undefined ? {} : { argv0 }),
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new JemkitError('ERR_JEM_PROGRAM_NOT_EXECUTABLE', `cannot execute ${path}: ${cause.message}`, { cause })),
    );
    child.on('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : (code ?? 70)));
  });
}
