import { type HeapProfile, UNKNOWN_CAPTURE } from '../../model/heap-profile.js';
import { type FrameInput, openProfileBuilder } from '../../model/heap-profile-builder.js';
import { openByteLines, startsWith } from './byte-lines.js';
import { newCountLine, readCounts } from './count-line.js';
import { openDumpStacks } from './dump-stacks.js';
import { openMappedFiles } from './mapped-files.js';
import { excerpt, profileError, textOf } from './profile-error.js';
import { type ProfileParser, parseAtOnce } from './profile-parser.js';
import { samplingFactor } from './unbias.js';

const AT = 64;
const HASH = 35;
const HEADER =
  /^heap profile:\s*\d+:\s*-?\d+\s*\[\s*\d+:\s*-?\d+\s*\]\s*@\s*(heap_v2|heapprofile|heap|growth|growthz)?(?:\/(\d{1,15}))?\s*$/;
const GO_FRAME = /^#\s+0x([0-9a-f]+)\s+(\S.*?)(?:\+0x[0-9a-f]+)?\s+(\S+):(\d+)$/;

/**
 * The text format of gperftools, which jemalloc wrote before 4.0 (`heap profile: 1: 2 [3: 4] @ heap_v2/524288`), and Go writes for
 * `debug=1`, with names.
 */
export function openOlderHeapParser(): ProfileParser {
  const stacks = openDumpStacks();
  const files = openMappedFiles();
  const named = new Map<number, FrameInput[]>();
  let state: 'header' | 'stacks' | 'maps' = 'header';
  let kind = '';
  let sampleBytes: number | undefined;
  let anyAllocated = false;
  let everyAllocatedIsLive = true;
  let hasComments = false;
  const notes: string[] = [];
  const counts = newCountLine();

  const takeStack = (bytes: Uint8Array, start: number, end: number, line: number) => {
    readCounts(bytes, start, end, line, counts);
    let at = counts.end;
    while (at < end && bytes[at] === 32) at += 1;
    if (at >= end || bytes[at] !== AT) {
      throw profileError('a stack is broken', {
        received: excerpt(bytes, start, end),
        expected: '"OBJECTS: BYTES [OBJECTS: BYTES] @ 0x…"',
        line,
      });
    }
    const stack = stacks.stack(bytes, at + 1, end, line);
    const live = samplingFactor(counts.objects, counts.bytes, sampleBytes);
    const allocated = samplingFactor(counts.allocatedObjects, counts.allocatedBytes, sampleBytes);
    if (counts.allocatedObjects > 0) anyAllocated = true;
    if (counts.allocatedObjects !== counts.objects || counts.allocatedBytes !== counts.bytes) {
      everyAllocatedIsLive = false;
    }
    stacks.row(
      stack,
      -1,
      {
        objects: counts.objects * live,
        bytes: counts.bytes * live,
        allocatedObjects: counts.allocatedObjects * allocated,
        allocatedBytes: counts.allocatedBytes * allocated,
      },
      counts.objects,
    );
  };

  const takeComment = (text: string) => {
    hasComments = true;
    const match = GO_FRAME.exec(text);
    if (!match) return;
    const pc = Number.parseInt(match[1]!, 16);
    const line = Math.min(Number(match[4]), 0xffffffff);
    const known = named.get(pc) ?? [];
    const frame = { name: match[2]!, file: match[3]!, line };
    // Functions that were inlined at the same place share its address; a stack that occurs again repeats them.
    if (known.some(({ name, line: other }) => name === frame.name && other === line)) return;
    named.set(pc, [...known, frame]);
  };

  const reader = openByteLines((bytes, start, end, line, whole) => {
    if (state === 'header') {
      ({ kind, sampleBytes } = parseHeader(textOf(bytes, start, Math.min(end, start + 300)), line));
      state = 'stacks';
    } else if (start === end) {
      return;
    } else if (bytes[start] === HASH) {
      takeComment(textOf(bytes, start, end));
    } else if (state === 'maps') {
      files.line(textOf(bytes, start, end).trim());
    } else if (startsWith(bytes, start, end, 'MAPPED_LIBRARIES:')) {
      state = 'maps';
    } else {
      if (!whole) throw cutOff(line);
      takeStack(bytes, start, end, line);
    }
  });

  return {
    push: (piece) => reader.push(piece),
    end(): HeapProfile {
      reader.end();
      if (state === 'header') throw cutOff(1);
      const builder = openProfileBuilder();
      for (const module of files.modules()) builder.module(module);
      const expand = (address: number) => {
        // Go tells the address before that to which a call returns.
        const frames = named.get(address - 1) ?? named.get(address) ?? [{}];
        const module = files.pathAt(address);
        return frames.map((frame, at) => builder.frame({ ...frame, address, module, inlined: at < frames.length - 1 }));
      };
      // tcmalloc's sample of what is held repeats the same numbers in brackets.
      stacks.addTo(builder, expand, () => '', anyAllocated && !(kind === 'heap_v2' && everyAllocatedIsLive));
      if (state !== 'maps' && !hasComments) notes.push(NO_MAPS);
      if (kind.startsWith('growth')) notes.push('The profile tells where the heap grew, not what is held.');
      return builder.build({
        ...UNKNOWN_CAPTURE,
        format: `heap profile @ ${kind}`,
        program: files.program(),
        sampleBytes,
        notes,
      });
    },
  };
}

/** @throws JemkitError ERR_JEM_PROFILE */
export function parseHeapOlder(bytes: Uint8Array): HeapProfile {
  return parseAtOnce(openOlderHeapParser, bytes);
}

const NO_MAPS =
  'The dump has no list of mapped files, so native frames cannot be named: it was cut off, or never had one.';

function parseHeader(text: string, line: number): { kind: string; sampleBytes: number | undefined } {
  const match = HEADER.exec(text);
  if (!match) {
    throw profileError('this is no heap profile', {
      received: JSON.stringify(text.slice(0, 80)),
      expected: '"heap profile: OBJECTS: BYTES [OBJECTS: BYTES] @ heap_v2/524288" or "@ heapprofile"',
      line,
    });
  }
  const kind = match[1] ?? 'heapprofile';
  const period = match[2] === undefined ? undefined : Number(match[2]);
  if (kind !== 'heap' && kind !== 'heap_v2') return { kind, sampleBytes: undefined };
  // The first version of sampled profiles, which Go still writes, tells twice the mean distance.
  return { kind, sampleBytes: kind === 'heap' && period !== undefined ? period / 2 : period };
}

function cutOff(line: number) {
  return profileError('the profile is cut off', {
    received: 'the end of the file inside its list of stacks',
    expected: 'whole lines, then MAPPED_LIBRARIES',
    hint: 'take the profile again: it is still being written, the disk was full, or the copy was interrupted',
    line,
  });
}
