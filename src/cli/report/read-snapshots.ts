import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { NamedProfile } from '../../analyses/profile-series.js';
import { JemkitError } from '../../errors.js';
import { isElfFile } from '../../sources/elf/is-elf-file.js';
import { readHeapProfile } from '../../sources/heap-dump/read-profile.js';
import { type SymbolizeOptions, symbolizeProfile } from '../../sources/symbols/symbolize-profile.js';
import type { Terminal } from '../terminal.js';

/** A profile with its path. */
export interface Snapshot extends NamedProfile {
  readonly path: string;
}

/** The arguments, with jeprof's program in front of the profiles taken out. */
export interface ReportFiles {
  readonly program: string | undefined;
  readonly profiles: readonly string[];
}

/** @throws JemkitError ERR_JEM_USAGE for a program without a profile. */
export function splitProgram(files: readonly string[]): ReportFiles {
  const [first = '', ...rest] = files;
  if (!isElfFile(first)) return { program: undefined, profiles: files };
  if (rest.length > 0) return { program: first, profiles: rest };
  throw new JemkitError('ERR_JEM_USAGE', `${first} is a program; jem report needs a heap profile`, {
    hint: `jem profile -- ${first} makes one`,
  });
}

/** How each file is told from the others: by its name, by its path where two have the same. */
function labelsOf(paths: readonly string[]): string[] {
  const names = paths.map((path) => basename(path));
  return names.map((name, at) => (names.indexOf(name) === names.lastIndexOf(name) ? name : paths[at]!));
}

/** One line that rewrites itself, on a terminal only. */
function openProgress({ interactive, progress }: Terminal): { show(text: string): void; close(): void } {
  if (!interactive) return { show: () => {}, close: () => {} };
  return {
    show: (text) => progress(`\r\u001b[K${text} …`),
    close: () => progress('\r\u001b[K'),
  };
}

const mebibytes = (path: string) => {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  return size === undefined || size < 2 ** 20 ? '' : ` (${(size / 2 ** 20).toFixed(1)} MiB)`;
};

/**
 * Reads profiles and gives their addresses names. Files are read one after the other: each may take hundreds of megabytes while it is.
 *
 * @throws JemkitError what reading and symbolizing throw.
 */
export async function readSnapshots(
  paths: readonly string[],
  options: SymbolizeOptions,
  terminal: Terminal,
): Promise<Snapshot[]> {
  const progress = openProgress(terminal);
  const labels = labelsOf(paths);
  const snapshots: Snapshot[] = [];
  try {
    for (const [at, path] of paths.entries()) {
      const count = paths.length > 1 ? ` ${at + 1} of ${paths.length}` : '';
      progress.show(`reading${count}: ${labels[at]}${mebibytes(path)}`.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?'));
      const profile = await readHeapProfile(path);
      progress.show(`finding names${count}: ${labels[at]}`.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?'));
      snapshots.push({ path, name: labels[at]!, profile: await symbolizeProfile(profile, options) });
    }
  } finally {
    progress.close();
  }
  return snapshots;
}
