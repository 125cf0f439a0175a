import { type Function as PprofFunction, Profile, type Sample } from 'pprof-format';
import { FRAME_KINDS, type FrameKind, type HeapProfile } from '../../model/heap-profile.js';
import { type FrameInput, openProfileBuilder, type ProfileBuilder } from '../../model/heap-profile-builder.js';
import type { PprofDetails } from '../../model/pprof-facts.js';
import { type Numeric, readCaptureFacts, readDetails, signed, type TextAt } from './pprof-facts.js';
import { profileError } from './profile-error.js';
import { type ProfileParser, parseAtOnce } from './profile-parser.js';

/** Decoded it takes some ten times as much memory; real profiles have a few megabytes. */
const SIZE_LIMIT = 256 * 1024 * 1024;

/** pprof's protobuf, not gzipped. It is decoded as a whole. */
export function openPprofParser(): ProfileParser {
  const pieces: Uint8Array[] = [];
  let length = 0;
  return {
    push(piece) {
      length += piece.length;
      if (length > SIZE_LIMIT) {
        throw profileError('the profile is too large', {
          received: `more than ${SIZE_LIMIT} bytes`,
          expected: `at most ${SIZE_LIMIT}`,
          hint: 'go tool pprof -proto -focus NAME FILE makes a smaller one',
        });
      }
      pieces.push(piece);
    },
    end: () => convert(decode(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))),
  };
}

/** @throws JemkitError ERR_JEM_PROFILE */
export function parsePprof(bytes: Uint8Array): HeapProfile {
  return parseAtOnce(openPprofParser, bytes);
}

function decode(bytes: Uint8Array): Profile {
  checkFields(bytes);
  try {
    return Profile.decode(bytes);
  } catch (error) {
    throw profileError('the pprof data is damaged', {
      received: (error as Error).message,
      expected: 'a Profile as profile.proto has it',
    });
  }
}

/** The library takes what is there: a file that was cut off would have fewer stacks, and nobody would know. */
function checkFields(bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    const wireType = bytes[at]! & 7;
    const start = at;
    at += 1;
    let value = 0;
    let scale = 1;
    for (; bytes[at]! >= 128; at++, scale *= 128) value += (bytes[at]! & 127) * scale;
    value += (bytes[at] ?? 0) * scale;
    at += 1;
    if (wireType === 2) at += value;
    if ((wireType !== 0 && wireType !== 2) || at > bytes.length) {
      throw profileError('the pprof data is damaged or cut off', {
        received: `a field at byte ${start} that does not end inside the ${bytes.length} bytes`,
        expected: 'whole fields',
      });
    }
  }
}

function convert(source: Profile): HeapProfile {
  const strings = source.stringTable?.strings ?? [];
  const text = (index: Numeric) => strings[Number(index)] ?? '';
  const columns = chooseColumns(source.sampleType.map(({ type, unit }) => ({ type: text(type), unit: text(unit) })));
  const notes = [...columns.notes];
  const builder = openProfileBuilder();
  const details = readDetails(source, strings, text);
  const expand = readLocations(source, text, builder, details);
  let dangling = 0;
  let scratch: number[] = [];
  for (const sample of source.sample) {
    scratch = [];
    for (const id of sample.locationId) {
      const frames = expand.get(Number(id));
      if (frames === undefined) dangling += 1;
      else for (const frame of frames) scratch.push(frame);
    }
    const value = (column: number | undefined) =>
      column === undefined ? undefined : signed(sample.value[column] ?? 0);
    builder.sample({
      stack: builder.stack(scratch),
      ...readLabels(sample, text),
      liveObjects: value(columns.liveObjects) ?? Number.NaN,
      liveBytes: value(columns.liveBytes) ?? Number.NaN,
      allocatedObjects: value(columns.allocatedObjects),
      allocatedBytes: value(columns.allocatedBytes),
    });
  }
  if (dangling > 0) notes.push(`${dangling} entries of stacks name a location that the file does not have.`);
  for (const { memoryStart, memoryLimit, fileOffset, filename, buildId } of source.mapping) {
    const [start, end] = [Number(memoryStart), Number(memoryLimit)];
    if (end <= start || end > Number.MAX_SAFE_INTEGER) continue;
    builder.module({
      path: text(filename),
      start,
      end,
      fileOffset: Number(fileOffset),
      buildId: text(buildId) || undefined,
    });
  }
  const capture = readCaptureFacts(source, text, details);
  return builder.build({ ...capture, notes: [...new Set([...capture.notes, ...notes])] });
}

interface Columns {
  readonly liveObjects: number | undefined;
  readonly liveBytes: number | undefined;
  readonly allocatedObjects: number | undefined;
  readonly allocatedBytes: number | undefined;
  readonly notes: readonly string[];
}

function chooseColumns(types: readonly { readonly type: string; readonly unit: string }[]): Columns {
  const find = (...names: readonly string[]) => {
    const at = types.findIndex(({ type }) => names.includes(type));
    return at < 0 ? undefined : at;
  };
  const allocatedBytes = find('alloc_space');
  const allocatedObjects = find('alloc_objects');
  // V8's own sampler, and what older gperftools profiles become.
  const liveBytes = find('inuse_space', 'space');
  const liveObjects = find('inuse_objects', 'objects');
  if (liveBytes !== undefined) return { liveObjects, liveBytes, allocatedObjects, allocatedBytes, notes: [] };
  if (allocatedBytes !== undefined) {
    const notes = ['The profile tells what was allocated, not what is held; its numbers stand for both.'];
    return { liveObjects: allocatedObjects, liveBytes: allocatedBytes, allocatedObjects, allocatedBytes, notes };
  }
  const bytes = types.findIndex(({ unit }) => unit === 'bytes');
  if (bytes >= 0) {
    const notes = [`The profile's bytes are those it calls ${JSON.stringify(types[bytes]!.type)}.`];
    return { liveObjects: undefined, liveBytes: bytes, allocatedObjects: undefined, allocatedBytes: undefined, notes };
  }
  throw profileError('this pprof file has no heap profile', {
    received: `values of ${types.map(({ type, unit }) => JSON.stringify(`${type}/${unit}`)).join(', ') || 'no type'}`,
    expected: 'inuse_space, space or alloc_space in bytes',
    hint: 'go tool pprof opens CPU profiles and others',
  });
}

/** Where a profile has the number of a thread and its name, the name. */
const THREAD_LABELS = ['thread', 'thread name', 'thread_name', 'thread id', 'thread_id'];

function readLabels(sample: Sample, text: TextAt) {
  let thread: string | undefined;
  let rank = THREAD_LABELS.length;
  let sampledObjects: number | undefined;
  for (const label of sample.label) {
    const key = text(label.key);
    const at = THREAD_LABELS.indexOf(key);
    if (at >= 0 && at < rank) {
      rank = at;
      thread = text(label.str) || String(label.num);
    }
    if (key === SAMPLED) sampledObjects = Number(label.num);
  }
  return { thread, sampledObjects };
}

const LETTER_A = 97;

const SAMPLED = 'sampled_objects';

/** The frames of each location, the innermost first. */
function readLocations(
  { location, mapping, function: functions }: Profile,
  text: TextAt,
  builder: ProfileBuilder,
  details: PprofDetails | undefined,
): Map<number, readonly number[]> {
  const modules = new Map(mapping.map(({ id, filename }) => [Number(id), text(filename)]));
  const functionsById = new Map<number, { readonly source: PprofFunction; readonly kind: FrameKind }>();
  functions.forEach((source, at) => {
    functionsById.set(Number(source.id), {
      source,
      kind: kindOf((details?.functionKinds.charCodeAt(at) ?? LETTER_A) - LETTER_A),
    });
  });
  const locationKinds = new Map(details?.locationKinds);
  const positions = new Map(details?.positions.map(([id, line, position]) => [`${id} ${line}`, position]));
  const functionColumns = new Map(details?.functionColumns);
  const inlinedLocations = new Set(details?.inlinedLocations);
  const frames = new Map<number, readonly number[]>();
  for (const { id: numericId, mappingId, address: place, line: lines } of location) {
    const id = Number(numericId);
    const address = BigInt(place) === 0n || BigInt(place) >= ADDRESS_LIMIT ? Number.NaN : Number(place);
    const module = modules.get(Number(mappingId)) ?? '';
    if (lines.length === 0) {
      const inlined = inlinedLocations.has(id);
      frames.set(id, [builder.frame({ address, module, inlined, kind: kindOf(locationKinds.get(id)) })]);
      continue;
    }
    frames.set(
      id,
      lines.map(({ functionId, line, column }, at) => {
        const called = functionsById.get(Number(functionId));
        const frame: FrameInput = {
          name: text(called?.source.name ?? 0) || text(called?.source.systemName ?? 0),
          file: text(called?.source.filename ?? 0),
          functionLine: whole(called?.source.startLine ?? 0),
          functionColumn: functionColumns.get(Number(functionId)) ?? 0,
          line: whole(line),
          column: whole(column),
          position: positions.get(`${id} ${at}`) ?? -1,
          kind: called?.kind ?? 'unknown',
          module,
          address,
          inlined: at < lines.length - 1 || inlinedLocations.has(id),
        };
        return builder.frame(frame);
      }),
    );
  }
  return frames;
}

const ADDRESS_LIMIT = 2n ** 53n;

function kindOf(code: number | undefined): FrameKind {
  return FRAME_KINDS[code ?? 0] ?? 'unknown';
}

/** Lines of 2^32 and more are negative numbers, thus not known. */
function whole(value: Numeric): number {
  const number = Number(value);
  return number >= 0 && number <= 0xffffffff ? number : 0;
}
