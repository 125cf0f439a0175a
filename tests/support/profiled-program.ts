import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  type Finished,
  jemallocLibrary,
  type NODE_MAJORS,
  nodeBinary,
  ROOT,
  runProgram,
  temporaryFolder,
} from './programs.js';

/** What is preloaded by hand where `jem run` would do it. */
export const PROFILE_HOOK = join(ROOT, 'dist', 'profile.cjs');

/** How a program is started. */
export interface ProfiledStart {
  readonly major?: (typeof NODE_MAJORS)[number];
  /** MALLOC_CONF under jemalloc; null is the system's malloc. */
  readonly conf?: string | null;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
}

/** The folder of an application that has jemkit installed. */
export function applicationFolder(folder = temporaryFolder('jemkit-profiler-')): string {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'jemkit'));
  return folder;
}

/** The environment of such a program. */
export function profiledEnvironment({ conf, env }: ProfiledStart = {}): Record<string, string | undefined> {
  const preload =
    conf === null ? {} : { LD_PRELOAD: jemallocLibrary(), MALLOC_CONF: conf ?? 'prof:true,prof_active:false' };
  return { ...preload, ...env };
}

/** Runs a module of such an application to its end. */
export async function runProfiled(body: string, start: ProfiledStart = {}): Promise<Finished & { folder: string }> {
  const { major = 20, flags = [], folder = applicationFolder() } = start;
  writeFileSync(join(folder, 'app.mjs'), body);
  const finished = await runProgram(nodeBinary(major), [...flags, 'app.mjs'], {
    cwd: folder,
    env: profiledEnvironment(start),
    timeoutMs: 60_000,
  });
  return { ...finished, folder };
}

const HEAD = `
  import { profiler, createMemory, jemalloc, JemkitError } from 'jemkit';
  /** Resolves when it is all written: process.exit() would cut it off. */
  const answer = (value) => new Promise((done) => process.stdout.write(JSON.stringify(value) + '\\n', done));
  const held = [];
  /** Waits until it is so. */
  const until = async (isSo) => {
    for (const end = Date.now() + 20_000; !(await isSo()); ) {
      if (Date.now() > end) throw new Error('waited in vain: ' + isSo);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  /** Bytes by the name of any function in their stacks. */
  const bytesOf = ({ samples, stacks, frames, strings }, name) => {
    let bytes = 0;
    for (let at = 0; at < samples.count; at++) {
      const stack = samples.stack[at];
      const own = stacks.frames.subarray(stacks.offsets[stack], stacks.offsets[stack + 1]);
      if (own.some((frame) => strings[frames.name[frame]] === name)) bytes += samples.liveBytes[at];
    }
    return bytes;
  };
`;

/** What a program printed with \`answer\`, where it ended well and said nothing else. */
export async function answerOfProfiled<Answer>(body: string, start: ProfiledStart = {}): Promise<Answer> {
  const { code, signal, stdout, stderr } = await runProfiled(`${HEAD}\n${body}`, start);
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as Answer;
}
