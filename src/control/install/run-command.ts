import { spawn } from 'node:child_process';
import type { CommandLine } from '../../model/command-line.js';
import { administratorPath } from '../../sources/process/read-distribution.js';
import { explainFailure, installFailed, lastWords } from './explain-failure.js';

export interface RunOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly folder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Talks to this process's terminal instead of being recorded. */
  readonly interactive?: boolean | undefined;
}

export interface CommandResult {
  /** Undefined where it could not be started or a signal ended it. */
  readonly exitCode: number | undefined;
  /** Both streams, as they came. */
  readonly output: string;
  readonly stdout: string;
}

/** Messages are matched by their English text; a preloaded allocator is the business of programs, not of package managers. */
function commandEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _preload, DYLD_INSERT_LIBRARIES: _insert, MALLOC_CONF: _conf, ...rest } = environment;
  return { ...rest, LC_ALL: 'C', PATH: administratorPath(environment['PATH']), DEBIAN_FRONTEND: 'noninteractive' };
}

/** The error for an installation that was told to stop. */
export function interrupted(cause: unknown): Error {
  return installFailed('the installation was interrupted', { hint: 'run the same command again', cause });
}

/** Runs one command to its end, whatever the end is. Rejects only where `signal` stops it. */
export function runCommand(command: CommandLine, options: RunOptions): Promise<CommandResult> {
  const { signal } = options;
  if (signal?.aborted) return Promise.reject(interrupted(signal.reason));
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.folder,
      env: commandEnvironment(options.environment),
      // Data of a package manager is talk of ours: both its streams go to stderr.
      stdio: options.interactive ? ['inherit', 2, 2] : ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that apt's download helpers end with it; on a terminal sudo needs the terminal's group.
      detached: !options.interactive,
    });
    let output = '';
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const stop = () => {
      if (child.pid === undefined || child.exitCode !== null) return;
      try {
        process.kill(options.interactive ? child.pid : -child.pid, 'SIGTERM');
      } catch {
        // It ended on its own meanwhile.
      }
    };
    signal?.addEventListener('abort', stop, { once: true });
    child.on('error', (error) => {
      signal?.removeEventListener('abort', stop);
      resolve({ exitCode: undefined, output: `${program}: ${error.message}`, stdout: '' });
    });
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(interrupted(signal.reason));
      else resolve({ exitCode: code ?? undefined, output, stdout });
    });
  });
}

/**
 * The error for a command that failed, with its own words and what they mean.
 *
 * @param what the thing that was tried: `downloading libjemalloc2`.
 */
export function commandFailed(what: string, command: CommandLine, result: CommandResult, hint?: string): Error {
  const cause = explainFailure(result.output);
  const ended = result.exitCode ? `, exit code ${result.exitCode}` : '';
  return installFailed(
    `${what} failed (${command.find((word) => word !== 'sudo' && word !== '-n')}${ended}): ${lastWords(result.output)}`,
    {
      hint: hint ?? cause.hint,
      details: { command, exitCode: result.exitCode, cause: cause.kind },
    },
  );
}

/** Runs one command that must end with 0. */
export async function mustRun(what: string, command: CommandLine, options: RunOptions): Promise<CommandResult> {
  const result = await runCommand(command, options);
  if (result.exitCode !== 0) throw commandFailed(what, command, result);
  return result;
}
