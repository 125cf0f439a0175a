import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { JemkitError } from '../../errors.js';
import type { ServerAddress } from './load.js';
import type { ReporterAnswer, ServerReady } from './reporter-messages.js';

const START_TIMEOUT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3_000;
const KEPT_STDERR = 4_096;
/** Node's report of an uncaught error has about a dozen, its message near the top. */
const KEPT_LINES = 14;

/** A server of the demo, listening. */
export interface DemoServer {
  readonly pid: number;
  readonly address: ServerAddress;
  /** Asks it from inside, after a full garbage collection where `collect`. */
  ask(collect: boolean): Promise<ReporterAnswer>;
  /** The error that says how it ended, if it ends within this time; undefined while it runs. */
  failureWithin(timeoutMs: number): Promise<JemkitError | undefined>;
  /** Ends it, by force where it does not follow; comes back when it is gone. */
  stop(): Promise<void>;
}

/** How to start one. */
export interface DemoServerStart {
  readonly commandLine: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Its working directory: what it drops (a core, a heap profile) goes with the folder. */
  readonly folder: string;
  readonly label: string;
  readonly signal: AbortSignal;
}

/** The error of a server that fails, with the last it said on stderr. */
export function serverFailed(label: string, what: string, stderr: string): JemkitError {
  const lines = stderr.trim().split('\n').filter(Boolean).slice(-KEPT_LINES);
  const said =
    lines.length > 0
      ? `; its last words:\n${lines.map((line) => `    ${line}`).join('\n')}`
      : '; it said nothing on stderr';
  return new JemkitError('ERR_JEM_DEMO_SERVER', `the demo's server under ${label} ${what}${said}`, {
    hint: 'jem doctor   (does the library work here?), or try the same again with --quick',
  });
}

function ended(child: ChildProcess): string | undefined {
  if (child.signalCode) return `was ended by ${child.signalCode}`;
  return child.exitCode === null ? undefined : `ended with exit code ${child.exitCode}`;
}

/** Waits for a message that `pick` takes, or for the child's end, the time limit or the signal. */
function waitForMessage<T>(
  child: ChildProcess,
  pick: (message: unknown) => T | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T | 'ended' | 'timeout'> {
  return new Promise((resolve, reject) => {
    const finish = (outcome: () => void) => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      outcome();
    };
    const onMessage = (message: unknown) => {
      const picked = pick(message);
      if (picked !== undefined) finish(() => resolve(picked));
    };
    const onClose = () => finish(() => resolve('ended'));
    const onAbort = () => finish(() => reject(signal.reason));
    const timer = setTimeout(() => finish(() => resolve('timeout')), timeoutMs);
    child.on('message', onMessage);
    child.on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else if (ended(child) !== undefined) onClose();
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (ended(child) !== undefined || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(forced);
}

/**
 * Starts a server with an IPC channel and waits until it listens. It ends when the channel closes, so it does not outlive this
 * process however that ends.
 *
 * @throws JemkitError ERR_JEM_DEMO_SERVER with the last lines of its stderr.
 */
export async function startServer({
  commandLine,
  environment,
  folder,
  label,
  signal,
}: DemoServerStart): Promise<DemoServer> {
  const [program = '', ...args] = commandLine;
  const child = spawn(program, args, {
    env: environment,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C must reach the demo first, which then stops the server in order.
    detached: true,
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR);
  });
  const spawnError = new Promise<never>((_, reject) =>
    child.on('error', (error) => reject(serverFailed(label, `could not be started (${error.message})`, stderr))),
  );
  spawnError.catch(() => {});

  try {
    const ready = await Promise.race([
      waitForMessage(
        child,
        (message) => ((message as Partial<ServerReady>).kind === 'ready' ? (message as ServerReady) : undefined),
        START_TIMEOUT_MS,
        signal,
      ),
      spawnError,
    ]);
    if (ready === 'ended') throw serverFailed(label, `${ended(child) ?? 'ended'} before it listened`, stderr);
    if (ready === 'timeout') throw serverFailed(label, `did not listen within ${START_TIMEOUT_MS / 1000} s`, stderr);

    let lastId = 0;
    return {
      pid: child.pid as number,
      address: ready.address,
      ask: async (collect) => {
        const id = ++lastId;
        const answer = waitForMessage(
          child,
          (message) => {
            const reply = message as Partial<ReporterAnswer>;
            return reply.kind === 'answer' && reply.id === id ? (reply as ReporterAnswer) : undefined;
          },
          ANSWER_TIMEOUT_MS,
          signal,
        );
        // A channel that is closed shows as the child's end.
        child.send({ kind: 'ask', id, collect }, () => {});
        const reply = await answer;
        if (reply === 'ended') throw serverFailed(label, ended(child) ?? 'ended', stderr);
        if (reply === 'timeout')
          throw serverFailed(label, `did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`, stderr);
        return reply;
      },
      failureWithin: async (timeoutMs) => {
        for (
          const deadline = performance.now() + timeoutMs;
          ended(child) === undefined && performance.now() < deadline;
        )
          await sleep(20);
        const how = ended(child);
        return how === undefined ? undefined : serverFailed(label, `${how} in the middle of the run`, stderr);
      },
      stop: () => stopChild(child),
    };
  } catch (error) {
    await stopChild(child);
    throw error;
  }
}
