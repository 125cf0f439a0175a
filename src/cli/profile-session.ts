import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type CaptureSummary, summarizeCapture } from '../analyses/capture-summary.js';
import type { CaptureReason } from '../control/profiling/follow-process.js';
import {
  besideOf,
  type ProfileTarget,
  placeFile,
  profilePath,
  writeProfile,
} from '../control/profiling/profile-file.js';
import type { CapturePlace, RawCapture } from '../control/profiling/take-capture.js';
import { JemkitError } from '../errors.js';
import type { HeapProfile } from '../model/heap-profile.js';
import { encodePprof } from '../outputs/pprof/encode-pprof.js';
import { describeCapture } from '../outputs/text/capture-summary.js';
import { quoteForShell } from '../outputs/text/shell-quote.js';
import { printable } from '../outputs/text/table.js';
import { readHeapProfile } from '../sources/heap-dump/read-profile.js';
import { libraryCacheFolders } from '../sources/process/jemkit-folders.js';
import { symbolizeProfile } from '../sources/symbols/symbolize-profile.js';
import type { CommandContext } from './command.js';
import type { ProfileOptions } from './profile-line.js';
import { buildProgram } from './program.js';

/** A capture under its name, as `--json` prints it. */
export interface WrittenCapture extends Partial<CaptureSummary> {
  readonly file: string;
  /** With `--keep-raw`, and where it could not be symbolized. */
  readonly raw: string | undefined;
  readonly pid: number;
  readonly program: string;
  readonly reason: CaptureReason;
  readonly takenAtMs: number;
}

/** Where captures of one run of the command go, and what has become of them. */
export interface ProfileSession {
  readonly written: readonly WrittenCapture[];
  /** Where they go. */
  readonly folder: string;
  /** A name for a capture on its way: in the folder where it will stay, so that it can be renamed. */
  nextRaw(): CapturePlace;
  /** Symbolizes a capture and gives it its name. `mark` tells several apart. */
  finish(raw: RawCapture, mark: string, reason: CaptureReason, subject: CaptureSubject): Promise<void>;
  /** The mark of the next one in a series: `-001`. */
  nextMark(): string;
  /** Prints what was asked for of all of them: `--json`, `--report`. */
  close(): Promise<void>;
}

/** Of what a capture is. */
export interface CaptureSubject {
  readonly program: string;
  readonly isNode: boolean;
}

const compress = promisify(gzip);

/** The profile with names, by what was kept of the process for that. */
async function nameFrames(profile: HeapProfile, { pid, root, perfMap }: RawCapture): Promise<HeapProfile> {
  const cacheFolder = libraryCacheFolders(process.env, process.geteuid?.())[0];
  const named = await symbolizeProfile(profile, { root, perfMap, cacheFolder });
  if (perfMap === undefined) return named;
  // A copy that is gone soon: people know it by the name that the process gave it.
  const notes = named.capture.notes.map((note) => note.replaceAll(perfMap, `/tmp/perf-${pid}.map`));
  return { ...named, capture: { ...named.capture, notes } };
}

/** Opens it for a file, or for a series that is numbered. */
export function openProfileSession(
  target: ProfileTarget,
  options: ProfileOptions,
  context: CommandContext,
): ProfileSession {
  const { terminal } = context;
  const force = options.force === true;
  const written: WrittenCapture[] = [];
  let raws = 0;
  let series = 0;

  const rescue = (raw: RawCapture, mark: string, error: unknown): string => {
    const path = profilePath(target, mark, 'heap');
    placeFile(raw.path, path, force);
    const why = error instanceof Error ? error.message : String(error);
    terminal.say(`jem: the capture is kept as it was written, in ${path}: its functions could not be named: ${why}`);
    terminal.say(`  hint: jem report ${quoteForShell(path)}`);
    return path;
  };

  const tell = (capture: WrittenCapture, summary: CaptureSummary, { program, isNode }: CaptureSubject) => {
    if (options.json) return;
    const { pid, file, raw } = capture;
    terminal.say(`jem: ${printable(program)} (${pid}): ${describeCapture(summary, isNode)}`);
    terminal.say(`  ${printable(file)}${raw === undefined ? '' : `, as it was written: ${printable(raw)}`}`);
    for (const note of summary.notes) terminal.say(`  note: ${printable(note)}`);
    terminal.say(`  look at it: jem report ${quoteForShell(file)}`);
  };

  /** What goes into the file; undefined where that is the capture itself. */
  const prepare = async (raw: RawCapture): Promise<{ bytes: Uint8Array | undefined; summary: CaptureSummary }> => {
    const plain = await readHeapProfile(raw.path);
    // Native functions have no names in it yet.
    if (target.form === 'heap')
      return { bytes: undefined, summary: { ...summarizeCapture(plain), namedShare: undefined } };
    const profile = await nameFrames(plain, raw);
    return { bytes: await compress(encodePprof(profile)), summary: summarizeCapture(profile) };
  };

  return {
    written,
    folder: dirname(profilePath(target)),
    nextRaw: () => ({
      path: besideOf(profilePath(target), `${++raws}.heap`),
      becomes: profilePath(target),
    }),
    nextMark: () => `-${String(++series).padStart(3, '0')}`,
    async close() {
      if (options.json) for (const capture of written) terminal.print(JSON.stringify(capture));
      const last = written.at(-1);
      if (options.report && last)
        await buildProgram(context, ['report']).parseAsync(['report', last.file], { from: 'user' });
    },
    async finish(raw, mark, reason, subject) {
      const { java } = raw;
      if (java.kind === 'no-jcmd' || java.kind === 'failed')
        terminal.say(`jem: without the names of Java methods: ${java.reason}`);
      const head = { pid: raw.pid, program: subject.program, reason, takenAtMs: raw.takenAtMs };
      try {
        const prepared = await prepare(raw).catch((error: unknown) => ({ error }));
        if ('error' in prepared) {
          const { error } = prepared;
          const path = rescue(raw, mark, error);
          written.push({ file: path, raw: path, ...head });
          context.exitCode = error instanceof JemkitError ? error.exitCode : 70;
          return;
        }
        const { bytes, summary } = prepared;
        const file = profilePath(target, mark);
        const kept = bytes && options.keepRaw ? profilePath(target, mark, 'heap') : undefined;
        if (bytes) writeProfile(file, bytes, force);
        else placeFile(raw.path, file, force);
        if (kept !== undefined) placeFile(raw.path, kept, force);
        const capture = { file, raw: kept, ...head, ...summary };
        written.push(capture);
        tell(capture, summary, subject);
      } finally {
        raw.discard();
      }
    },
  };
}
