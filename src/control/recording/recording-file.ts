import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isSystemError, JemkitError } from '../../errors.js';
import type { MemorySample } from '../../model/memory-sample.js';
import type { RecordingEvent, RecordingHead } from '../../model/recording.js';
import { cannotWrite } from './cannot-write.js';
import { encodeEvent, encodeHead, openSampleEncoder } from './encode-recording.js';

/** A recording being written. Each record goes to the system at once: what is written survives the end of this process. */
export interface RecordingFile {
  readonly path: string;
  readonly samples: number;
  readonly bytes: number;
  /** @throws JemkitError ERR_JEM_FILE where the disk does not take it; the file is whole up to the record before. */
  append(sample: MemorySample): void;
  /** As {@link RecordingFile.append}. */
  note(event: RecordingEvent): void;
  close(): void;
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** A recording names the program and its script: nobody else's business. */
const MODE = 0o600;

function kindOfFile(path: string): 'none' | 'file' | 'other' {
  try {
    return lstatSync(path).isFile() ? 'file' : 'other';
  } catch (error) {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return 'none';
    throw cannotWrite(path, error);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

/**
 * Says beforehand what {@link openRecordingFile} would say: a program should not be started for a recording that cannot be written.
 *
 * @throws JemkitError ERR_JEM_FILE.
 */
export function checkRecordingPath(path: string, force: boolean): void {
  refuseOccupied(path, kindOfFile(path), force);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function refuseOccupied(path: string, kind: ReturnType<typeof kindOfFile>, force: boolean): void {
  if (kind === 'none' || (kind === 'file' && force)) return;
  const what = kind === 'file' ? 'it is there already' : 'something that is no plain file is there already';
  throw new JemkitError('ERR_JEM_FILE', `cannot write ${path}: ${what}`, {
    hint: kind === 'file' ? 'name another file with -o, or replace it with --force' : 'name another file with -o',
    details: { path },
  });
}

/** Creates the file with its head. An existing one is replaced in one step, when the new one has its head. */
function createFile(path: string, head: Uint8Array, force: boolean): number {
  const kind = kindOfFile(path);
  refuseOccupied(path, kind, force);
  const target = kind === 'file' ? join(dirname(path), `.${basename(path)}.${process.pid}.tmp`) : path;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(target, CREATE, MODE);
    writeAll(descriptor, head);
    if (target !== path) renameSync(target, path);
    return descriptor;
  } catch (error) {
    if (descriptor !== undefined) {
      closeSync(descriptor);
      rmSync(target, { force: true });
    }
    throw cannotWrite(path, error);
  }
}

/**
 * Begins a recording in a new file that only its owner may read.
 *
 * @throws JemkitError ERR_JEM_FILE where the file is there already (and not to be replaced) or cannot be written.
 */
export function openRecordingFile(path: string, head: RecordingHead, force: boolean): RecordingFile {
  const first = encodeHead(head);
  const descriptor = createFile(path, first, force);
  const encode = openSampleEncoder(head);
  let bytes = first.length;
  let samples = 0;
  const write = (record: Uint8Array) => {
    try {
      writeAll(descriptor, record);
    } catch (error) {
      try {
        // The part that went through would be taken for damage.
        ftruncateSync(descriptor, bytes);
      } catch (failure) {
        if (!isSystemError(failure)) throw failure;
      }
      throw cannotWrite(path, error);
    }
    bytes += record.length;
  };
  return {
    path,
    get samples() {
      return samples;
    },
    get bytes() {
      return bytes;
    },
    append(sample) {
      write(encode(sample));
      samples++;
    },
    note: (event) => write(encodeEvent(event)),
    close() {
      try {
        fsyncSync(descriptor);
      } catch (error) {
        if (!isSystemError(error)) throw error;
      }
      closeSync(descriptor);
    },
  };
}
