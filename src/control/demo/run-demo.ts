import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { compareRuns } from '../../analyses/compare-runs.js';
import { isSystemError, JemkitError } from '../../errors.js';
import type { DemoMachine, DemoParameters, DemoReport, DemoRun } from '../../model/demo.js';
import { type DemoProgress, measureRun } from './measure-run.js';
import { type DemoAllocatorOptions, prepareRuns } from './prepare-runs.js';

/** A Unix socket's path has at most 107 bytes on Linux and 103 on macOS. */
const MAX_SOCKET_PATH_BYTES = 103;

/** What the demo needs to know. */
export interface DemoOptions extends DemoAllocatorOptions {
  readonly parameters: DemoParameters;
  readonly jemkitVersion: string;
  readonly onProgress: (progress: DemoProgress & { readonly run: number; readonly runs: number }) => void;
}

function describeMachine(jemkitVersion: string, libc: string | undefined): DemoMachine {
  const header = (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)?.header;
  return {
    platform: process.platform,
    architecture: process.arch,
    kernel: release(),
    processors: cpus().length,
    processorModel: cpus()[0]?.model.trim() || undefined,
    memoryBytes: totalmem(),
    nodeVersion: process.versions.node,
    libc: libc === 'glibc' && header?.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : libc,
    jemkitVersion,
  };
}

function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'jem-demo-'));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new JemkitError(
      'ERR_JEM_FILE',
      `no folder can be made in ${tmpdir()} for the servers' sockets (${error.code})`,
      {
        hint: 'name one that this user can write: TMPDIR=/some/folder jem demo',
        cause: error,
      },
    );
  }
}

function notesOn(runs: readonly DemoRun[]): string[] {
  const notes: string[] = [];
  if (runs.some(({ residentSource }) => residentSource === 'server')) {
    notes.push(
      'this system has no /proc: RSS and CPU time are what the server says of itself, the peak is the highest sample',
    );
  }
  if (!runs.some(({ variant }) => variant === 'tuned-glibc')) {
    notes.push('the third run, glibc with its own remedies, is left out: this node is not built for glibc');
  }
  return notes;
}

/**
 * Runs the example server under plain malloc, under jemalloc, and under glibc with its own remedies, each with the same requests,
 * and measures it from outside.
 *
 * @throws JemkitError ERR_JEM_LIBRARY_UNUSABLE, ERR_JEM_DEMO_SERVER, ERR_JEM_MALLOC_CONF, ERR_JEM_FILE; the signal's reason.
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { parameters, signal } = options;
  const startedAt = new Date().toISOString();
  const prepared = await prepareRuns(options);
  // 0700: nobody else can talk to the servers.
  const folder = makeFolder();
  try {
    const runs: DemoRun[] = [];
    for (const [index, run] of prepared.runs.entries()) {
      signal.throwIfAborted();
      const socket = join(folder, `server-${index}.sock`);
      const listen = Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES ? '0' : socket;
      runs.push(
        await measureRun({
          ...run,
          commandLine: [...prepared.commandLine, listen],
          folder,
          parameters,
          requests: parameters.requests ?? runs[0]?.requests,
          signal,
          onProgress: (progress) => options.onProgress({ ...progress, run: index + 1, runs: prepared.runs.length }),
        }),
      );
    }
    return {
      startedAt,
      machine: describeMachine(options.jemkitVersion, prepared.libc),
      parameters,
      library: prepared.library,
      commandLine: prepared.commandLine,
      runs,
      comparison: compareRuns(runs),
      notes: notesOn(runs),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
