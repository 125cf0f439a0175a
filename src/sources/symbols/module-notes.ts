import type { ModuleReading } from './read-module.js';

/** How the symbols of one mapped file were found. */
export interface ModuleFinding {
  readonly path: string;
  readonly reading: ModuleReading;
  /** How many addresses the profile has in it, and how many of them have no name. */
  readonly frames: number;
  readonly unnamed: number;
}

const framesOf = (count: number) => (count === 1 ? '1 frame' : `${count} frames`);
const stay = (count: number) => `${framesOf(count)} in it ${count === 1 ? 'stays' : 'stay'} without a name`;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not on this machine',
  EACCES: 'it may not be read',
  ENOTREG: 'it is no regular file',
  'not-elf': 'it is no ELF file',
  malformed: 'it is damaged',
};

function describe({ path, reading, frames, unnamed }: ModuleFinding): string | undefined {
  switch (reading.kind) {
    case 'deleted':
      return `${path}: it was deleted or replaced while the process ran; ${stay(frames)}.`;
    case 'replaced':
      return (
        `${path}: another build lies there now (build id ${reading.found ?? 'none'}, ` +
        `the profile has ${reading.expected}); ${stay(frames)}.`
      );
    case 'unreadable':
      return `${path}: ${REASONS[reading.code] ?? `reading it failed (${reading.code})`}; ${stay(frames)}.`;
    case 'read':
      return reading.doubtful && frames > unnamed
        ? `${path}: it was changed after the profile was taken, and the profile holds no build id: names in it may be wrong.`
        : undefined;
  }
}

/** Sentences for what a reader of the names must know. */
export function describeModules(findings: readonly ModuleFinding[]): string[] {
  const notes = findings.map(describe).filter((note) => note !== undefined);
  const bare = findings.filter(({ reading, unnamed }) => reading.kind === 'read' && unnamed > 0);
  if (bare.length > 0) {
    const list = bare.map(({ path, unnamed }) => `${path} (${framesOf(unnamed)})`).join(', ');
    notes.push(`No symbol covers some code, most likely since the file was stripped: ${list}.`);
  }
  return notes;
}
