import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { isSystemError, JemkitError } from '../../errors.js';
import { findMarkedBlock, putMarkedBlock, takeMarkedBlock } from '../../model/marked-block.js';

/** What was done to a shell's start-up file, or would be. */
export interface PersistOutcome {
  readonly kind: 'written' | 'unchanged' | 'removed' | 'nothing-to-undo';
  /** The shell's own file. */
  readonly profile: string;
  /** Where its content really is; another path where the profile is a symbolic link. */
  readonly file: string;
  /** A copy of the file from before the block, while there is one. */
  readonly backup: string | undefined;
  /** Nothing was done. */
  readonly dryRun: boolean;
}

/** Which file, and whether to do it. */
export interface PersistRequest {
  readonly profile: string;
  readonly dryRun?: boolean | undefined;
  readonly uid?: number | undefined;
}

type ProfileShell = 'sh' | 'bash' | 'zsh' | 'fish';

const shown = (value: string | undefined) => (value === undefined ? 'not set' : JSON.stringify(value));

/**
 * Refuses a home that is not there: a folder made in its place would be found by no shell, or by the wrong user.
 *
 * @throws JemkitError ERR_JEM_FILE where HOME, or ZDOTDIR for zsh, names no folder.
 */
export function requireHome(shell: ProfileShell, environment: NodeJS.ProcessEnv): void {
  const name =
    shell === 'zsh' && environment['ZDOTDIR'] && isAbsolute(environment['ZDOTDIR'])
      ? 'ZDOTDIR'
      : shell === 'fish' && environment['XDG_CONFIG_HOME'] && isAbsolute(environment['XDG_CONFIG_HOME'])
        ? undefined
        : 'HOME';
  const home = name && environment[name];
  if (!home || !isAbsolute(home)) return;
  let problem: string | undefined;
  try {
    if (!statSync(home).isDirectory()) problem = 'is not a folder';
  } catch (error) {
    if (!isSystemError(error)) throw error;
    problem = error.code === 'ENOENT' ? 'does not exist' : `cannot be looked at (${error.code})`;
  }
  if (problem === undefined) return;
  throw new JemkitError('ERR_JEM_FILE', `nothing written: ${name} is '${home}', which ${problem}`, {
    hint: `${name}=/your/home jem env --persist --shell ${shell}`,
  });
}

/**
 * The file a shell reads at start: `~/.profile`, `~/.bashrc`, `${ZDOTDIR:-~}/.zshrc`, fish's `config.fish`.
 *
 * @throws JemkitError ERR_JEM_FILE where HOME is not set to an absolute path.
 */
export function profileOf(shell: ProfileShell, environment: NodeJS.ProcessEnv): string {
  const folder = (name: string) => {
    const value = environment[name];
    return value && isAbsolute(value) ? value : undefined;
  };
  const home = folder('HOME');
  const special =
    shell === 'zsh'
      ? folder('ZDOTDIR')
      : shell === 'fish'
        ? (folder('XDG_CONFIG_HOME') ?? (home && join(home, '.config')))
        : undefined;
  const base = special ?? home;
  if (base === undefined) {
    throw new JemkitError(
      'ERR_JEM_FILE',
      `no start-up file of ${shell}: HOME is ${shown(environment['HOME'])}, expected an absolute path`,
      {
        hint: 'HOME=/your/home jem env --persist',
      },
    );
  }
  return {
    sh: join(base, '.profile'),
    bash: join(base, '.bashrc'),
    zsh: join(base, '.zshrc'),
    fish: join(base, 'fish', 'config.fish'),
  }[shell];
}

function failure(doing: string, path: string, cause: unknown): JemkitError {
  const why = isSystemError(cause) ? cause.code : String(cause);
  return new JemkitError('ERR_JEM_FILE', `cannot ${doing} ${path}: ${why}`, {
    hint:
      why === 'EACCES' || why === 'EROFS' || why === 'EPERM'
        ? 'print the lines with `jem env` and put them into a file you can write'
        : why === 'ENOSPC' || why === 'EDQUOT'
          ? 'make room on that disk; nothing was changed'
          : 'nothing was changed',
    cause,
  });
}

interface Profile {
  readonly file: string;
  /** Bytes as Latin-1, so that every byte comes back as it was. */
  readonly text: string;
  readonly stats: Stats | undefined;
}

/** Follows a symbolic link of the user's own (dotfiles are often links) and refuses anybody else's. */
function readProfile({ profile, uid = process.geteuid?.() }: PersistRequest): Profile {
  let link: Stats;
  try {
    link = lstatSync(profile);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return { file: profile, text: '', stats: undefined };
    throw failure('look at', profile, error);
  }
  let file = profile;
  let stats: Stats;
  try {
    file = link.isSymbolicLink() ? realpathSync(profile) : profile;
    stats = statSync(file);
  } catch (error) {
    throw failure('follow', profile, error);
  }
  if (!stats.isFile())
    throw new JemkitError('ERR_JEM_FILE', `${file} is not a regular file`, { hint: 'nothing was changed' });
  const foreign = [link, stats].find((of) => uid !== undefined && of.uid !== uid);
  if (foreign) {
    throw new JemkitError(
      'ERR_JEM_FILE',
      `${profile} belongs to uid ${foreign.uid}, not to you (uid ${uid}): it is left alone`,
      {
        hint: 'run this as its owner, or put the lines of `jem env` there yourself',
      },
    );
  }
  try {
    return { file, text: readFileSync(file, 'latin1'), stats };
  } catch (error) {
    throw failure('read', file, error);
  }
}

/** Writes beside the file and renames, so that a reader sees the old content or the new. */
function replaceFile(file: string, text: string, like: Stats | undefined): void {
  const beside = `${file}.jemkit-${process.pid}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const descriptor = openSync(beside, 'wx', 0o600);
    try {
      const bytes = Buffer.from(text, 'latin1');
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      if (like) {
        if (like.gid !== process.getegid?.()) fchownSync(descriptor, like.uid, like.gid);
        fchmodSync(descriptor, like.mode & 0o7777);
      } else fchmodSync(descriptor, 0o644 & ~process.umask());
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw failure('write', file, error);
  }
}

function refuseDamaged(file: string, text: string): void {
  const search = findMarkedBlock(text);
  if (search.kind !== 'damaged') return;
  throw new JemkitError(
    'ERR_JEM_FILE',
    `${file}, line ${search.line}: jemkit's block is damaged (a '>>>' line without its '<<<' line, or one twice)`,
    {
      hint: 'delete the lines of the block in an editor and try again; nothing was changed',
    },
  );
}

const backupOf = (file: string) => `${file}.jemkit-backup`;

/**
 * Writes a block into a shell's start-up file, in the place of an earlier one. The file as it was before the first block is kept
 * beside it.
 *
 * @throws JemkitError ERR_JEM_FILE: the file is another user's, not a regular file, damaged, or cannot be written; it is unchanged then.
 */
export function persistBlock(content: string, request: PersistRequest): PersistOutcome {
  const { file, text, stats } = readProfile(request);
  refuseDamaged(file, text);
  const changed = putMarkedBlock(text, Buffer.from(content).toString('latin1')) ?? text;
  const first = findMarkedBlock(text).kind === 'none';
  const dryRun = request.dryRun === true;
  const backup = (first && stats) || existsSync(backupOf(file)) ? backupOf(file) : undefined;
  const outcome = { profile: request.profile, file, backup, dryRun };
  if (changed === text) return { ...outcome, kind: 'unchanged' };
  if (!dryRun) {
    if (first && stats) replaceFile(backupOf(file), text, stats);
    replaceFile(file, changed, stats);
  }
  return { ...outcome, kind: 'written' };
}

/**
 * Takes the block out: every other byte stays. A file that only the block made is deleted; the backup goes where it equals what is
 * left, and stays where the file was edited since.
 *
 * @throws JemkitError ERR_JEM_FILE as {@link persistBlock}.
 */
export function undoBlock(request: PersistRequest): PersistOutcome {
  const { file, text, stats } = readProfile(request);
  refuseDamaged(file, text);
  const dryRun = request.dryRun === true;
  const kept = existsSync(backupOf(file)) ? backupOf(file) : undefined;
  const restored = takeMarkedBlock(text);
  if (restored === undefined) return { kind: 'nothing-to-undo', profile: request.profile, file, backup: kept, dryRun };
  const same = kept !== undefined && readFileSync(kept, 'latin1') === restored;
  if (!dryRun) {
    try {
      if (restored === '' && kept === undefined) rmSync(file);
      else replaceFile(file, restored, stats);
      if (same) rmSync(kept);
    } catch (error) {
      throw error instanceof JemkitError ? error : failure('write', file, error);
    }
  }
  return { kind: 'removed', profile: request.profile, file, backup: same ? undefined : kept, dryRun };
}
