import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { accessSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** The command line under test, built. */
export const JEM = join(ROOT, 'dist', 'cli', 'main.cjs');

const TRIPLETS: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** The jemalloc that tests preload: Debian's package, or the file named by JEMKIT_TEST_LIBRARY. Throws where it is absent. */
export function jemallocLibrary(): string {
  const path = process.env['JEMKIT_TEST_LIBRARY'] ?? `/usr/lib/${TRIPLETS[process.arch]}/libjemalloc.so.2`;
  accessSync(path);
  return path;
}

/** Node versions that every process test of launching runs on: the one at hand, and those of scripts/setup-tests.mjs. */
export const NODE_MAJORS = [20, 22, 24, 26] as const;

/** The node binary of a major version. */
export function nodeBinary(major: (typeof NODE_MAJORS)[number]): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const cache = process.env['JEMKIT_TEST_NODES'] ?? join(homedir(), '.cache', 'jemkit-dev', 'nodes');
  return join(cache, 'node_modules', `node${major}`, 'bin', 'node');
}

/** A folder of this test alone, removed when it ends. */
export function temporaryFolder(prefix = 'jemkit-test-'): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a finished program left behind. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@link runProgram}. */
export interface RunOptions extends Pick<SpawnOptions, 'cwd' | 'uid' | 'gid' | 'argv0'> {
  /** Laid over the environment of the tests; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
}

/** The environment of a test: nothing preloaded, no configuration of the developer's own. */
export function testEnvironment(changes: RunOptions['env'] = {}): NodeJS.ProcessEnv {
  const clean: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(clean)) {
    if (/^(LD_PRELOAD|MALLOC_CONF|JEMKIT_.*|NODE_OPTIONS|NODE_CHANNEL.*|VITEST.*|NODE_ENV|FORCE_COLOR)$/.test(name))
      delete clean[name];
  }
  return { ...clean, NO_COLOR: '1', ...changes };
}

/** Runs a program to its end, killed after 30 s. */
export function runProgram(path: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { env, input, timeoutMs = 30_000, ...rest } = options;
  const child = spawn(path, args, {
    ...rest,
    env: testEnvironment(env),
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return finished(child);
}

/** Waits for the end of a child and gives what it wrote. */
export function finished(child: ChildProcess): Promise<Finished> {
  const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  child.stdout?.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        code,
        signal,
        stdout: Buffer.concat(chunks.stdout).toString(),
        stderr: Buffer.concat(chunks.stderr).toString(),
      }),
    );
  });
}

/** Runs `jem` with these arguments on the Node of the tests. */
export function jem(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return runProgram(process.execPath, [JEM, ...args], options);
}
