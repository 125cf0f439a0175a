import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { FileIdentity, LibraryTarget } from '../../model/allocator.js';
import type { ProgramResolution, ProgramStep, ResolvedProgram } from '../../model/program.js';
import { hasFileCapabilities } from '../../native.js';
import { readElf } from '../elf/elf-image.js';
import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from '../file-system.js';
import { type EnvCommand, isNodeShim, parseEnvArgument, parseEnvCommand, parseShebang } from './shebang.js';

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
    if (error.code === 'EACCES')
      return { kind: 'not-executable', path, reason: 'permission denied (no execute bit for this user)' };
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
  if (process.platform === 'darwin')
    return {
      target: { architecture: process.arch as LibraryTarget['architecture'], libc: 'darwin' },
      unpreloadable: undefined,
    };
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
  if (process.geteuid?.() !== 0 && hasFileCapabilities(path)) return { target, unpreloadable: 'file-capabilities' };
  return { target, unpreloadable: undefined };
}

/**
 * Finds what a command really starts: through PATH, `#!` lines, `env`, and the shell shims of npm and pnpm, to the program
 * whose malloc is at stake. Reads a few kilobytes of each file and runs nothing. Shims of version managers (pyenv, rbenv, asdf)
 * end at their shell: what they start is known to themselves only.
 *
 * @param args the command's arguments: `env A=b node` starts node.
 */
export function resolveProgram(
  command: string,
  searchPath: string | undefined,
  args: readonly string[] = [],
): ProgramResolution {
  const first = lookUpCommand(command, searchPath);
  if (first.kind === 'not-found') return { kind: 'not-found', name: command };
  if (first.kind === 'not-executable') return { kind: 'not-executable', path: first.path, reason: first.reason };

  const steps: ProgramStep[] = [stepOf(first.path)];
  let throughShell = false;
  let dropsPreload = false;
  let current: Position = { path: first.path, startedBy: 'execvp', args: isEnv(first.path) ? args : [] };
  for (let depth = 0; depth < MAX_STEPS; depth++) {
    const next = nextStep(current, searchPath);
    if (next.kind === 'end') break;
    if (next.kind === 'broken') return { kind: 'not-executable', path: first.path, reason: next.reason };
    if (next.withoutShebang && depth === 0) throughShell = true;
    dropsPreload ||= next.dropsPreload;
    steps.push(...next.paths.map(stepOf));
    current = { path: next.paths.at(-1) ?? current.path, startedBy: next.startedBy, args: [] };
  }
  const interpreter = realpathSync.native(current.path);
  const preloading = preloadingOf(interpreter);
  return {
    kind: 'resolved',
    program: {
      path: first.path,
      throughShell,
      steps,
      interpreter,
      target: preloading.target,
      unpreloadable: dropsPreload ? 'environment-dropped' : preloading.unpreloadable,
    },
  };
}

/** A file on the way, and who starts it: the kernel takes it as it is, execvp(3) hands what the kernel refuses to the shell. */
interface Position {
  readonly path: string;
  readonly startedBy: 'kernel' | 'execvp';
  /** What follows it, where it is `env` and that matters. */
  readonly args: readonly string[];
}

interface NextStep {
  readonly kind: 'next';
  readonly paths: readonly string[];
  readonly startedBy: Position['startedBy'];
  readonly withoutShebang: boolean;
  readonly dropsPreload: boolean;
}

type Next = { readonly kind: 'end' } | { readonly kind: 'broken'; readonly reason: string } | NextStep;

const END: Next = { kind: 'end' };

const isEnv = (path: string) => /(^|\/)env$/.test(path);

/** The shell that execvp(3) hands a file to which is neither a program nor a script with a first line. */
function shellInstead(position: Position): Next {
  if (position.startedBy === 'kernel') return END;
  return { kind: 'next', paths: ['/bin/sh'], startedBy: 'kernel', withoutShebang: true, dropsPreload: false };
}

/** What `env` starts; `env: 'node': No such file` is for env to say, with its own exit code. */
function afterEnv(
  { program, dropsPreload }: EnvCommand,
  searchPath: string | undefined,
  through: readonly string[],
): Next {
  const target = program === undefined ? undefined : lookUpCommand(program, searchPath);
  const paths = target?.kind === 'file' ? [...through, target.path] : through;
  if (paths.length === 0) return END;
  return {
    kind: 'next',
    paths,
    startedBy: target?.kind === 'file' ? 'execvp' : 'kernel',
    withoutShebang: false,
    dropsPreload,
  };
}

function nextStep(position: Position, searchPath: string | undefined): Next {
  const { path, args } = position;
  if (args.length > 0) return afterEnv(parseEnvCommand(args), searchPath, []);
  const head = readHead(path, SHIM_BYTES);
  if (!head) return END;
  if (head[0] === 0x7f || isMachO(head)) return END;
  const shebang = parseShebang(head);
  // Binary data is no script, but the kernel may know it (binfmt_misc).
  if (!shebang) return head.includes(0) ? END : shellInstead(position);
  const { interpreter, argument } = shebang;
  const found = lookAt(interpreter);
  if (found.kind !== 'file') {
    if (interpreter.endsWith('\r') || argument?.endsWith('\r')) {
      return {
        kind: 'broken',
        reason: "its first line ends in CR LF, as on Windows (sed -i 's/\\r$//' FILE mends it)",
      };
    }
    const problem = found.kind === 'not-found' ? 'does not exist' : 'cannot be executed';
    return { kind: 'broken', reason: `its first line names ${interpreter}, which ${problem}` };
  }
  if (isEnv(interpreter) && argument) return afterEnv(parseEnvArgument(argument), searchPath, [interpreter]);
  if (/(^|\/)(ba|da|z|k)?sh$/.test(interpreter) && isNodeShim(head.toString('utf8'))) {
    return afterEnv({ program: 'node', dropsPreload: false }, searchPath, [interpreter]);
  }
  return { kind: 'next', paths: [interpreter], startedBy: 'kernel', withoutShebang: false, dropsPreload: false };
}

function isMachO(head: Buffer): boolean {
  return (
    head.length >= 4 && [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe].includes(head.readUInt32BE(0))
  );
}
