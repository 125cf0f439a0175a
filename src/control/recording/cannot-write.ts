import { isSystemError, JemkitError } from '../../errors.js';

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  ENOENT: 'there is no such folder',
  ENOTDIR: 'its folder is no folder',
  EISDIR: 'it is a folder',
};

const wordsFor = (error: NodeJS.ErrnoException) => {
  const words = WHY[error.code ?? ''];
  return words ? `${words} (${error.code})` : error.message;
};

/** What a person is told where a recording or a picture cannot be written; what is no failure of the system as it is. */
export function cannotWrite(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return new JemkitError('ERR_JEM_FILE', `cannot write ${path}: ${wordsFor(error)}`, {
    hint: 'name another file with -o',
    details: { path },
    cause: error,
  });
}
