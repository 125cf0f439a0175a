import { type HeapProfile, UNKNOWN_CAPTURE } from '../../model/heap-profile.js';
import { openProfileBuilder } from '../../model/heap-profile-builder.js';
import { openByteLines, startsWith } from './byte-lines.js';
import { FRAME_BASE, openCaptureSections } from './capture-sections.js';
import { type CountLine, newCountLine, readCounts } from './count-line.js';
import { openDumpStacks } from './dump-stacks.js';
import { openMappedFiles } from './mapped-files.js';
import { excerpt, profileError, textOf } from './profile-error.js';
import { type ProfileParser, parseAtOnce } from './profile-parser.js';
import { divideAmongThreads } from './thread-shares.js';

const AT = 64;
const ALL_THREADS = -1;

/** A dump of jemalloc 4.0 and later, with the sections of jemkit behind it where it has them. */
export function openHeapV2Parser(): ProfileParser {
  const stacks = openDumpStacks();
  const files = openMappedFiles();
  const sections = openCaptureSections();
  const threadNames = new Map<number, string>();
  const notes: string[] = [];
  let state: 'header' | 'threads' | 'stacks' | 'maps' | 'sections' = 'header';
  let sampleBytes: number | undefined;
  let allocatedIsRecorded = false;
  let lines = 0;

  /** The stack whose counts are being read; -1: none. */
  let open = -1;
  let openedAt = 0;
  let total: CountLine | undefined;
  const threads: CountLine[] = [];
  const counts = newCountLine();

  const close = () => {
    if (open < 0) return;
    if (total === undefined && threads.length === 0) throw cutOff(openedAt);
    divideAmongThreads(total, threads, sampleBytes, (thread, estimate, sampled) =>
      stacks.row(open, thread, estimate, sampled),
    );
    open = -1;
    total = undefined;
    threads.length = 0;
  };

  const takeStackLine = (bytes: Uint8Array, start: number, end: number, line: number, whole: boolean) => {
    if (start === end) return;
    if (bytes[start] === AT) {
      close();
      if (!whole) throw cutOff(line);
      state = 'stacks';
      open = stacks.stack(bytes, start + 1, end, line);
      openedAt = line;
    } else if (startsWith(bytes, start, end, 'MAPPED_LIBRARIES:')) {
      close();
      state = 'maps';
    } else if (startsWith(bytes, start, end, 'JEMKIT_')) {
      close();
      state = 'sections';
      sections.line(textOf(bytes, start, end), line);
    } else {
      if (!whole) throw cutOff(line);
      readCounts(bytes, start, end, line, counts);
      if (state === 'threads') {
        const name = textOf(bytes, counts.end, end).trim();
        if (counts.thread !== ALL_THREADS && name !== '') threadNames.set(counts.thread, name);
        return;
      }
      if (open < 0) throw unexpected(bytes, start, end, line);
      if (counts.allocatedObjects > 0) allocatedIsRecorded = true;
      if (counts.thread === ALL_THREADS) total = { ...counts };
      else threads.push({ ...counts });
    }
  };

  const reader = openByteLines((bytes, start, end, line, whole) => {
    lines = line;
    if (state === 'maps' || state === 'sections') {
      const text = textOf(bytes, start, end);
      if (text.startsWith('JEMKIT_')) state = 'sections';
      if (state === 'sections') sections.line(text, line);
      else if (text !== '' && !files.line(text) && !whole) notes.push(CUT_MAPS);
    } else if (state === 'header') {
      sampleBytes = parseHeader(textOf(bytes, start, Math.min(end, start + 100)), line);
      state = 'threads';
    } else {
      takeStackLine(bytes, start, end, line, whole);
    }
  });

  return {
    push: (piece) => reader.push(piece),
    end(): HeapProfile {
      reader.end();
      close();
      if (lines < 2) throw cutOff(lines + 1);
      const builder = openProfileBuilder();
      files.setBuildIds(sections.buildIds());
      for (const module of files.modules()) builder.module(module);
      const facts = sections.facts();
      stacks.addTo(
        builder,
        (address) => {
          if (address >= FRAME_BASE && address < 2 * FRAME_BASE) return sections.frames(builder, address);
          if (address >= 2 * FRAME_BASE) return [builder.frame({})];
          return [builder.frame({ address, module: files.pathAt(address) })];
        },
        (thread) => (thread === ALL_THREADS ? '' : (threadNames.get(thread) ?? String(thread))),
        allocatedIsRecorded,
      );
      if (state !== 'maps' && state !== 'sections') notes.push(NO_MAPS);
      return builder.build({
        ...UNKNOWN_CAPTURE,
        format: sections.found() ? 'jemkit capture 1' : 'jemalloc heap_v2',
        ...facts,
        program: files.program(),
        sampleBytes,
        notes: [...notes, ...sections.notes()],
      });
    },
  };
}

/** @throws JemkitError ERR_JEM_PROFILE */
export function parseHeapV2(bytes: Uint8Array): HeapProfile {
  return parseAtOnce(openHeapV2Parser, bytes);
}

const NO_MAPS =
  'The dump has no list of mapped files, so native frames cannot be named: it was cut off, or written on another system than Linux.';
const CUT_MAPS = 'The list of mapped files ends in the middle of a line: the file was cut off behind its stacks.';

function parseHeader(text: string, line: number): number {
  const digits = /^heap_v2\/(\d{1,15})$/.exec(text)?.[1];
  if (digits === undefined) {
    throw profileError('this is no dump of jemalloc', {
      received: JSON.stringify(text.slice(0, 60)),
      expected: '"heap_v2/" and the sampling distance in bytes',
      line,
    });
  }
  return Number(digits);
}

function cutOff(line: number) {
  return profileError('the dump is cut off', {
    received: 'the end of the file inside its list of stacks',
    expected: 'the counts of each stack, then MAPPED_LIBRARIES',
    hint: 'take the profile again: it is still being written, the disk was full, or the copy was interrupted',
    line,
  });
}

function unexpected(bytes: Uint8Array, start: number, end: number, line: number) {
  return profileError('the dump is broken', {
    received: excerpt(bytes, start, end),
    expected: 'a stack ("@ 0x…") or MAPPED_LIBRARIES',
    line,
  });
}
