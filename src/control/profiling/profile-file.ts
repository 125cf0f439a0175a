import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isSystemError, JemkitError } from '../../errors.js';
import { cannotWrite } from '../recording/cannot-write.js';

/** The forms of a capture: as the process wrote it, or symbolized in pprof's format. */
export type ProfileForm = 'heap' | 'pprof';

/** The endings of the forms. */
export const PROFILE_ENDINGS = { heap: '.heap', pprof: '.pb.gz' } as const satisfies Record<ProfileForm, string>;

/** Where captures go: one file, or a numbered series. */
export interface ProfileTarget {
  /** The path without its ending. */
  readonly stem: string;
  readonly form: ProfileForm;
}

/** Reads the form of a file by its name; undefined for another ending. */
export function parseProfileTarget(path: string): ProfileTarget | undefined {
  for (const form of Object.keys(PROFILE_ENDINGS) as ProfileForm[]) {
    const ending = PROFILE_ENDINGS[form];
    if (path.endsWith(ending) && basename(path) !== ending) return { stem: path.slice(0, -ending.length), form };
  }
  return undefined;
}

/** The name of one capture: `mark` tells those of a series, or of several processes, apart. */
export function profilePath({ stem, form }: ProfileTarget, mark = '', ending: ProfileForm = form): string {
  return `${stem}${mark}${PROFILE_ENDINGS[ending]}`;
}

function exists(path: string): 'none' | 'file' | 'other' {
  try {
    return lstatSync(path).isFile() ? 'file' : 'other';
  } catch (error) {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return 'none';
    throw cannotWrite(path, error);
  }
}

function occupied(path: string, kind: 'file' | 'other'): JemkitError {
  const what = kind === 'file' ? 'it is there already' : 'something that is no plain file is there already';
  return new JemkitError('ERR_JEM_FILE', `cannot write ${path}: ${what}`, {
    hint: kind === 'file' ? 'name another file with -o, or replace it with --force' : 'name another file with -o',
    details: { path },
  });
}

/**
 * Says beforehand what writing would say: nothing is to be sampled for half a minute for a file that cannot be written.
 *
 * @throws JemkitError ERR_JEM_FILE.
 */
export function checkProfilePath(path: string, force: boolean): void {
  const kind = exists(path);
  if (kind === 'other' || (kind === 'file' && !force)) throw occupied(path, kind);
  try {
    accessSync(`${dirname(path)}/.`, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** A name beside a file that is being made. */
export const besideOf = (path: string, what: string) =>
  join(dirname(path), `.${basename(path)}.${process.pid}.${what}`);

/** Gives a whole file its name. Without `force` what is there stays, even if it came a moment ago. */
export function placeFile(from: string, path: string, force: boolean): void {
  try {
    if (force) renameSync(from, path);
    else {
      try {
        linkSync(from, path);
        rmSync(from);
      } catch (error) {
        // File systems without hard links.
        if (!isSystemError(error) || error.code === 'EEXIST') throw error;
        if (exists(path) !== 'none') throw occupied(path, 'file');
        renameSync(from, path);
      }
    }
  } catch (error) {
    rmSync(from, { force: true });
    if (isSystemError(error) && error.code === 'EEXIST') throw occupied(path, 'file');
    throw cannotWrite(path, error);
  }
}

/**
 * Writes a profile, which names functions and files of the program: nobody but its owner reads it. Under its name there is a whole
 * file or none.
 *
 * @throws JemkitError ERR_JEM_FILE.
 */
export function writeProfile(path: string, bytes: Uint8Array, force: boolean): void {
  const beside = besideOf(path, 'tmp');
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const descriptor = openSync(beside, flags, 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EEXIST') rmSync(beside, { force: true });
    throw cannotWrite(path, error);
  }
  placeFile(beside, path, force);
}
