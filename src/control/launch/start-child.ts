import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isSystemError, JemkitError } from '../../errors.js';
import { statFields } from '../../sources/procfs/process-stat.js';
import { FORWARDED, type Replacement, restoreOpenFilesLimit } from './replace-process.js';

/** How a program ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program that runs as a child of this process, with its streams and terminal. Signals that are sent here go on to it. */
export interface StartedChild {
  readonly pid: number;
  readonly ended: Promise<ChildEnd>;
  /** Ends this process as the child has ended: by the same signal, or gives the code to end with. */
  endAs(end: ChildEnd): Promise<number>;
}

/** How a child is started. */
export interface StartChildOptions {
  /** Decides about a signal that is sent here: true where it takes care, and calls `pass` to hand it on. Left out, all go on at once. */
  readonly onSignal?: (signal: NodeJS.Signals, pass: () => void) => boolean;
  /**
   * In the foreground of a terminal, Ctrl-C comes to this process alone: the child is in a session of its own, and gets it when it is passed on.
   * It can read and write the terminal as before, and not open /dev/tty.
   */
  readonly ownSession?: boolean;
}

/** What a terminal sends to all its foreground processes, the child among them: passed on it would arrive twice. */
const FROM_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH']);

function inForeground(): boolean {
  try {
    const [, , group, , , foreground] = statFields(readFileSync('/proc/self/stat', 'latin1'));
    return group === foreground;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/**
 * Starts a program as a child that has this process's standard streams.
 *
 * @throws JemkitError ERR_JEM_PROGRAM_NOT_EXECUTABLE where the kernel refuses.
 */
export async function startChild(
  { path, argv, environment }: Replacement,
  { onSignal, ownSession = false }: StartChildOptions = {},
): Promise<StartedChild> {
  const [argv0, ...rest] = argv.map((argument) => argument.toString());
  // Node raised it for itself; a child would inherit that.
  restoreOpenFilesLimit();
  const apart = ownSession && inForeground();
  const forward = (signal: NodeJS.Signals) => {
    const pass = () => void child.kill(signal);
    if (onSignal?.(signal, pass)) return;
    if (apart || !(FROM_TERMINAL.has(signal) && inForeground())) pass();
  };
  // Before the start: one that comes while spawn() makes the child would end us alone. It is handed on in a later turn of the event loop.
  for (const signal of FORWARDED) process.on(signal, forward);
  const child = spawn(path, rest, {
    ...(argv0 === undefined ? {} : { argv0 }),
    env: { ...process.env, ...environment },
    stdio: 'inherit',
    detached: apart,
  });
  const stopForwarding = () => {
    for (const signal of FORWARDED) process.off(signal, forward);
  };
  const ended = new Promise<ChildEnd>((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      stopForwarding();
      reject(
        new JemkitError('ERR_JEM_PROGRAM_NOT_EXECUTABLE', `cannot execute ${path}: ${cause.message}`, {
          hint: `look at it with: file ${path}`,
          cause,
        }),
      );
    });
  });
  return {
    pid: child.pid as number,
    ended,
    async endAs({ code, signal }) {
      stopForwarding();
      if (!signal) return code ?? 70;
      process.kill(process.pid, signal);
      // SIGPIPE, which Node ignores, does not end it.
      await new Promise((resolve) => setTimeout(resolve, 100));
      return 128 + constants.signals[signal];
    },
  };
}
