import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { FileIdentity, LibraryTarget } from '../../model/allocator.js';
import type { ProgramResolution, ProgramStep, ResolvedProgram } from '../../model/program.js';
import { hasFileCapabilities } from '../../native.js';
import { readElf } from '../elf/elf-image.js';
import { isNodeShim, parseEnvCommand, parseShebang } from './shebang.js';

/** The kernel follows at most four scripts; `env` and shims add to that. */
const MAX_STEPS = 8;
const SHIM_BYTES = 4096;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Lookup =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'not-executable'; readonly path: string; readonly reason: string };

function lookAt(path: string): Lookup {
  try {
    if (!statSync(path).isFile()) return { kind: 'not-executable', path, reason: 'it is not a file' };
    accessSync(path, constants.X_OK);
    return { kind: 'file', path };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return { kind: 'not-found' };
    if (error.code === 'EACCES') return { kind: 'not-executable', path, reason: 'permission denied (no execute bit for this user)' };
    return { kind: 'not-executable', path, reason: `it cannot be looked at (${error.code})` };
  }
}

/** Looks a command up as execvp(3) does. */
export function lookUpCommand(name: string, searchPath: string | undefined): Lookup {
  if (name.includes('/')) return lookAt(name);
  let refused: Lookup | undefined;
  for (const folder of name === '' ? [] : (searchPath ?? DEFAULT_PATH).split(':')) {
    const found = lookAt(folder === '' ? `./${name}` : join(folder, name));
    if (found.kind === 'file') return found;
    if (found.kind === 'not-executable' && !refused) refused = found;
  }
  return refused ?? { kind: 'not-found' };
}

function readHead(path: string, length: number): Buffer | undefined {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(descriptor, buffer, 0, length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function stepOf(path: string): ProgramStep {
  const stats = statSync(path);
  const identity: FileIdentity = { device: stats.dev, inode: stats.ino, mtimeMs: stats.mtimeMs, sizeBytes: stats.size };
  return { path, identity };
}

type Preloading = Pick<ResolvedProgram, 'target' | 'unpreloadable'>;

function preloadingOf(path: string): Preloading {
  if (process.platform === 'darwin') return { target: { architecture: process.arch as LibraryTarget['architecture'], libc: 'darwin' }, unpreloadable: undefined };
  const elf = readElf(path);
  if (elf.kind === 'unreadable') return { target: undefined, unpreloadable: 'not-readable' };
  if (elf.kind !== 'elf') return { target: undefined, unpreloadable: 'foreign-machine' };
  const { image } = elf;
  if (!image.interpreter) return { target: undefined, unpreloadable: 'static' };
  if (!image.architecture) return { target: undefined, unpreloadable: 'foreign-machine' };
  if (!image.libc) return { target: undefined, unpreloadable: 'unknown-libc' };
  const target: LibraryTarget = { architecture: image.architecture, libc: image.libc };
  const { mode, uid, gid } = statSync(path);
  // The loader enters secure mode, and drops LD_PRELOAD, only where the bits change who runs it.
  const changesUser = (mode & 0o4000) !== 0 && uid !== process.geteuid?.();
  const changesGroup = (mode & 0o2000) !== 0 && (mode & 0o010) !== 0 && gid !== process.getegid?.();
  if (changesUser || changesGroup) return { target, unpreloadable: 'setuid' };
  if (hasFileCapabilities(path) && process.geteuid?.() !== 0) return { target, unpreloadable: 'file-capabilities' };
  return { target, unpreloadable: undefined };
}

/**
 * Finds what a command really starts: through PATH, `#!` lines, `env`, and the shell shims of npm and pnpm, to the program
 * whose malloc is at stake. Reads a few kilobytes of each file and runs nothing. Shims of version managers (pyenv, rbenv, asdf)
 * end at their shell: what they start is known to themselves only.
 */
export function resolveProgram(command: string, searchPath: string | undefined): ProgramResolution {
  const first = lookUpCommand(command, searchPath);
  if (first.kind === 'not-found') return { kind: 'not-found', name: command };
  if (first.kind === 'not-executable') return { kind: 'not-executable', path: first.path, reason: first.reason };

  const steps: ProgramStep[] = [stepOf(first.path)];
  let throughShell = false;
  let current = first.path;
  for (let depth = 0; depth < MAX_STEPS; depth++) {
    const next = nextStep(current, searchPath, depth === 0);
    if (next.kind === 'end') break;
    if (next.kind === 'broken') return { kind: 'not-executable', path: first.path, reason: next.reason };
    if (next.withoutShebang) throughShell = true;
    steps.push(...next.paths.map(stepOf));
    current = next.paths.at(-1) ?? current;
  }
  const interpreter = realpathSync(current);
  return { kind: 'resolved', program: { path: first.path, throughShell, steps, interpreter, ...preloadingOf(interpreter) } };
}

type Next =
  | { readonly kind: 'end' }
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'next'; readonly paths: readonly string[]; readonly withoutShebang: boolean };

function nextStep(path: string, searchPath: string | undefined, isFirst: boolean): Next {
  const head = readHead(path, SHIM_BYTES);
  if (!head || head.length === 0) return head && isFirst ? { kind: 'next', paths: ['/bin/sh'], withoutShebang: true } : { kind: 'end' };
  if (head.readUInt8(0) === 0x7f || isMachO(head)) return { kind: 'end' };
  const shebang = parseShebang(head);
  if (!shebang) {
    // Neither a program nor a script with an interpreter: execve says ENOEXEC, and execvp hands it to the shell.
    return isFirst ? { kind: 'next', paths: ['/bin/sh'], withoutShebang: true } : { kind: 'end' };
  }
  const found = lookAt(shebang.interpreter);
  if (found.kind !== 'file') {
    return { kind: 'broken', reason: `its first line names ${shebang.interpreter}, which ${found.kind === 'not-found' ? 'does not exist' : 'cannot be executed'}` };
  }
  const paths = [shebang.interpreter];
  const started =
    /(^|\/)env$/.test(shebang.interpreter) && shebang.argument
      ? parseEnvCommand(shebang.argument)
      : /(^|\/)(ba|da|z|k)?sh$/.test(shebang.interpreter) && isNodeShim(head.toString('utf8'))
        ? 'node'
        : undefined;
  if (started) {
    const target = lookUpCommand(started, searchPath);
    // `env: 'node': No such file` is for env to say, with its own exit code.
    if (target.kind === 'file') paths.push(target.path);
  }
  return { kind: 'next', paths, withoutShebang: false };
}

function isMachO(head: Buffer): boolean {
  return head.length >= 4 && [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe].includes(head.readUInt32BE(0));
}
