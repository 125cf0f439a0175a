import { readFileSync } from 'node:fs';
import { isSystemError, JemkitError } from '../../errors.js';
import type { MemorySample } from '../../model/memory-sample.js';
import type { Recording } from '../../model/recording.js';
import { parseRecording } from './parse-recording.js';

const WHY: Readonly<Record<string, { readonly words: string; readonly hint: (path: string) => string } | undefined>> = {
  ENOENT: { words: 'there is no such file', hint: () => 'record one with: jem record PID -o run.jemrec' },
  EISDIR: {
    words: 'it is a folder',
    hint: (path) => `name the files in it: jem plot ${path.replace(/\/$/, '')}/*.jemrec`,
  },
  EACCES: {
    words: 'permission denied (EACCES)',
    hint: () => 'a recording is readable by the user who made it: ask as that user, or with sudo',
  },
};

/**
 * Reads a recording from a file, which may still be written.
 *
 * @param visit is called with each sample, in order.
 * @throws JemkitError ERR_JEM_FILE for a file that cannot be read, ERR_JEM_RECORDING for one that is no recording.
 */
export function readRecording(path: string, visit: (sample: MemorySample) => void): Recording {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const why = WHY[error.code ?? ''];
    throw new JemkitError('ERR_JEM_FILE', `cannot read ${path}: ${why?.words ?? error.message}`, {
      ...(why && { hint: why.hint(path) }),
      cause: error,
    });
  }
  const parsed = parseRecording(bytes, visit);
  if (!('kind' in parsed)) return parsed;
  if (parsed.kind === 'newer-format') {
    throw new JemkitError(
      'ERR_JEM_RECORDING',
      `${path} has format ${parsed.version} of a later jemkit; this one reads up to ${parsed.known}`,
      { hint: 'npm install jemkit@latest', details: { path, version: parsed.version, known: parsed.known } },
    );
  }
  throw new JemkitError('ERR_JEM_RECORDING', `${path} is no recording: ${parsed.detail}`, {
    hint: 'record one with: jem record PID -o run.jemrec',
    details: { path },
  });
}
