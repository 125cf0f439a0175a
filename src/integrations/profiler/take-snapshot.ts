import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkOptions, type OptionKinds } from '../../control/memory/check-options.js';
import { captureTo, whyNoProfile } from '../../control/profiler/capture-folder.js';
import { isSystemError, JemkitError } from '../../errors.js';
import type { HeapProfile } from '../../model/heap-profile.js';
import type { ProfilerRefusal, ProfileSnapshot } from '../../model/profiler-outcome.js';
import { checkEnding, type SavedProfile, saveProfile } from './save-profile.js';

/** Options of `profiler.snapshot()`. All may be left out. */
export interface SnapshotOptions {
  /** The snapshot is saved under this name too; see `ProfileSnapshot.save`. */
  readonly path?: string | undefined;
  /**
   * Native functions get their names, and JavaScript its lines and source maps; default true. It reads the files of the process's libraries: up to some seconds
   * for the first time, what was read is kept.
   */
  readonly symbols?: boolean | undefined;
}

const KINDS: OptionKinds<SnapshotOptions> = { path: ['string'], symbols: ['boolean'] };

// What reads profiles is loaded when the first is taken: most programs that import jemkit never do.
async function readCapture(path: string): Promise<HeapProfile> {
  const { readHeapProfile } = await import('../../sources/heap-dump/read-profile.js');
  return readHeapProfile(path);
}

async function symbolize(profile: HeapProfile): Promise<HeapProfile> {
  const { symbolizeProfile } = await import('../../sources/symbols/symbolize-profile.js');
  return symbolizeProfile(profile);
}

function cannotCapture(reason: string, cause?: unknown): JemkitError {
  return new JemkitError('ERR_JEM_FILE', `no heap profile could be taken: ${reason}`, {
    hint: `make room in ${tmpdir()}, or name another folder: TMPDIR=/some/folder`,
    cause,
  });
}

/** A capture of this moment, and what it says. */
async function capture(): Promise<SavedProfile | ProfilerRefusal> {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), 'jemkit-snapshot-'));
    const path = join(folder, 'capture.heap');
    const outcome = captureTo(path);
    if (outcome.kind === 'not-written') throw cannotCapture(outcome.reason);
    if (outcome.kind !== 'captured') return outcome;
    return { profile: await readCapture(path), bytes: readFileSync(path) };
  } catch (error) {
    throw isSystemError(error) ? cannotCapture(error.message, error) : error;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** See `Profiler.snapshot`. */
export async function takeSnapshot(options: SnapshotOptions = {}): Promise<ProfileSnapshot | ProfilerRefusal> {
  checkOptions({ caller: 'profiler.snapshot' }, options, KINDS);
  const { path, symbols = true } = options;
  if (path !== undefined) checkEnding(path);
  const refusal = whyNoProfile(true);
  if (refusal) return refusal;
  const taken = await capture();
  if ('kind' in taken) return taken;
  const { bytes } = taken;
  const profile = symbols ? await symbolize(taken.profile) : taken.profile;
  const snapshot: ProfileSnapshot = { kind: 'snapshot', profile, save: (to) => saveProfile(to, { profile, bytes }) };
  if (path !== undefined) await snapshot.save(path);
  return snapshot;
}
