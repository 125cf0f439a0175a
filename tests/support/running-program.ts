import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import type { AllocatorIdentity } from '../../src/model/allocator-identity.js';
import { identifyAllocator } from '../../src/sources/process/identify-allocator.js';
import { openImageReader } from '../../src/sources/process/mapped-images.js';
import { openProcessView } from '../../src/sources/process/process-view.js';
import { type Finished, finished, JEM, type RunOptions, testEnvironment } from './programs.js';

/** A program that runs until the test lets it end. */
export interface RunningProgram {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Waits for the next line of its stdout; fails where it ends before. */
  line(): Promise<string>;
  /** Closes its stdin, after this text, and waits for its end. */
  end(input?: string): Promise<Finished>;
  /** Its end, whenever that is. */
  readonly finished: Promise<Finished>;
}

/** Options of {@link openProgram}. */
export interface OpenOptions extends RunOptions, Pick<SpawnOptions, 'stdio' | 'detached' | 'serialization'> {}

/** Starts a program and goes on; it is killed when the test ends. */
export function openProgram(path: string, args: readonly string[], options: OpenOptions = {}): RunningProgram {
  const { env, timeoutMs: _timeout, input: _input, ...rest } = options;
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], ...rest, env: testEnvironment(env) });
  onTestFinished(() => void child.kill('SIGKILL'));
  const end = finished(child);
  end.catch(() => {});
  child.stdin?.on('error', () => {});
  let text = '';
  const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  const serve = () => {
    for (let at = text.indexOf('\n'); at !== -1 && waiting.length > 0; at = text.indexOf('\n')) {
      waiting.shift()?.resolve(text.slice(0, at));
      text = text.slice(at + 1);
    }
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    serve();
  });
  child.on('close', async () => {
    const { stderr, code, signal } = await end;
    for (const { reject } of waiting) reject(new Error(`ended (${signal ?? code}) before its next line: ${stderr}`));
  });
  return {
    child,
    pid: child.pid ?? -1,
    line: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        serve();
      }),
    end: (input) => {
      child.stdin?.end(input);
      return end;
    },
    finished: end,
  };
}

/** Starts `jem` with these arguments on the Node of the tests and goes on. */
export function openJem(args: readonly string[], options: OpenOptions = {}): RunningProgram {
  return openProgram(process.execPath, [JEM, ...args], options);
}

/** Which allocator serves a process, by its own memory. */
export function allocatorOf(pid: number): AllocatorIdentity {
  const view = openProcessView(pid);
  try {
    return identifyAllocator(view, openImageReader(), 'full');
  } finally {
    view.close();
  }
}

/** {@link allocatorOf} in a word and the file: `jemalloc /usr/lib/…/libjemalloc.so.2`, with how it is known. */
export function servedBy(pid: number): {
  allocator: string;
  evidence: string;
  standing: string;
  path: string | undefined;
} {
  const identity = allocatorOf(pid);
  if (identity.kind !== 'identified') return { allocator: identity.kind, evidence: '', standing: '', path: undefined };
  const { allocator, evidence, standing, file } = identity;
  return { allocator, evidence, standing, path: file?.path };
}
