import { accessSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { isSystemError, JemkitError } from '../../errors.js';
import {
  cacheFolders,
  canBePreloaded,
  fallbackCacheFolder,
  isKernelFolder,
  isPrivateFolder,
} from '../../sources/process/jemkit-folders.js';
import { installFailed } from './explain-failure.js';

/** A cache folder that can be written, and why the ones before it cannot. */
export interface ChosenFolder {
  readonly folder: string;
  readonly notes: readonly string[];
}

function nearestExisting(path: string): string {
  for (let current = path; ; current = dirname(current)) {
    try {
      lstatSync(current);
      return current;
    } catch (error) {
      const absent = isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
      if (!absent || current === '/') return current;
    }
  }
}

/** Why a folder cannot be written, or undefined where it can. */
function obstacle(folder: string, uid: number | undefined, create: boolean, chosen: boolean): string | undefined {
  if (!canBePreloaded(folder))
    return 'has a space, colon or dollar sign in its path, at which the loader splits LD_PRELOAD';
  if (isKernelFolder(folder)) return "is in the kernel's own file system";
  const shared = uid !== undefined && folder === fallbackCacheFolder(uid);
  const nearest = nearestExisting(folder);
  try {
    if (!shared && !statSync(nearest).isDirectory()) {
      return nearest === folder ? 'is not a folder' : `cannot be made: ${nearest} is not a folder`;
    }
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return `cannot be written (${error.code})`;
  }
  try {
    if (create) {
      // A folder named by hand is often one that another user's service reads (an image's /opt); a home is its owner's alone.
      mkdirSync(folder, { recursive: !shared, mode: chosen ? 0o755 : 0o700 });
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
      throw installFailed(`${folder} cannot be made: the disk is full (${error.code})`, {
        hint: 'free some space, or choose another folder: JEMKIT_CACHE_DIR=/some/other/folder jem install',
        cause: error,
      });
    }
    if (!shared || error.code !== 'EEXIST') return `cannot be made (${error.code})`;
  }
  if (shared && nearestExisting(folder) === folder && !isPrivateFolder(folder, uid)) {
    return 'is not a folder of this user alone, so others could put a library there';
  }
  return undefined;
}

/**
 * The first cache folder that can be written and preloaded from.
 *
 * @param create makes it; otherwise it is only looked at.
 * @throws {JemkitError} ERR_JEM_FILE where there is none; ERR_JEM_USAGE for a JEMKIT_CACHE_DIR that is not absolute.
 */
export function chooseCacheFolder(
  environment: NodeJS.ProcessEnv,
  uid: number | undefined,
  create: boolean,
): ChosenFolder {
  const notes: string[] = [];
  const named = environment['JEMKIT_CACHE_DIR'];
  if (named && !isAbsolute(named)) {
    throw new JemkitError(
      'ERR_JEM_USAGE',
      `JEMKIT_CACHE_DIR is '${named}', expected an absolute path: jem run is not always started in this folder`,
      { hint: `JEMKIT_CACHE_DIR="$PWD/${named}" jem install`, details: { received: named } },
    );
  }
  const chosen = Boolean(named);
  for (const folder of cacheFolders(environment, uid)) {
    const reason = obstacle(folder, uid, create, chosen);
    if (reason === undefined) {
      const used =
        notes.length === 0
          ? []
          : [
              `${folder} is used instead${folder.startsWith('/var/tmp/') ? ' (some systems clean /var/tmp after a month)' : ''}`,
            ];
      return { folder, notes: [...notes, ...used] };
    }
    notes.push(`${folder} ${reason}`);
  }
  throw new JemkitError('ERR_JEM_FILE', `no folder for the library: ${notes.join('; ') || 'there is no home folder'}`, {
    hint: 'name one that this user can write: JEMKIT_CACHE_DIR=/some/folder jem install',
    details: { notes },
  });
}
