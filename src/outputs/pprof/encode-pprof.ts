import { type LocationInput, Profile, type SampleInput, StringTable } from 'pprof-format';
import { FRAME_KINDS, type Frame, frameAt, type HeapProfile, stackFrames } from '../../model/heap-profile.js';
import {
  openPprofChecksum,
  PPROF_CAPTURE_PREFIX,
  PPROF_DETAILS_PREFIX,
  type PprofDetails,
} from '../../model/pprof-facts.js';
import { openPprofMappings } from './pprof-mappings.js';

/**
 * A heap profile in pprof's format, not gzipped. `go tool pprof`, Pyroscope, Parca and speedscope open it; `parsePprof` gives the same profile back, save that estimates
 * are rounded to whole bytes and objects.
 *
 * @param shownFirst what a viewer shows unasked, where the profile has it.
 */
export function encodePprof(
  profile: HeapProfile,
  shownFirst: 'inuse_space' | 'alloc_space' = 'inuse_space',
): Uint8Array {
  const strings = new StringTable();
  const mappings = openPprofMappings(profile.modules);
  const locations = openLocations(profile, strings, mappings);
  const values = valueColumns(profile);
  const { samples, capture } = profile;
  const sampledObjects = strings.dedup('sampled_objects');
  const threadKey = strings.dedup('thread');
  const stacks: number[][] = [];
  for (let stack = 0; stack < profile.stacks.count; stack++)
    stacks.push(locations.ofStack(stackFrames(profile, stack)));

  const sample: SampleInput[] = [];
  for (let at = 0; at < samples.count; at++) {
    const label = [];
    const thread = profile.strings[samples.thread[at]!] ?? '';
    const sampled = samples.sampledObjects[at]!;
    if (thread !== '') label.push({ key: threadKey, str: strings.dedup(thread) });
    if (!Number.isNaN(sampled)) label.push({ key: sampledObjects, num: Math.round(sampled) });
    sample.push({
      locationId: stacks[samples.stack[at]!] ?? [],
      value: values.map(({ column }) => Math.round(column[at]! || 0)),
      label,
    });
  }

  const unit = (type: string, name: string) => ({ type: strings.dedup(type), unit: strings.dedup(name) });
  const mapping = mappings.encode(strings);
  const { statistics, sizeClasses, ...facts } = capture;
  const comment = strings.dedup(PPROF_CAPTURE_PREFIX + JSON.stringify(facts));
  strings.dedup(PPROF_DETAILS_PREFIX + JSON.stringify({ ...locations.details(), statistics, sizeClasses }));
  return new Profile({
    sampleType: values.map(({ type, name }) => unit(type, name)),
    sample,
    mapping,
    location: locations.locations,
    function: locations.functions,
    comment: [comment],
    timeNanos: nanoseconds(capture.takenAtMs),
    durationNanos: nanoseconds(capture.durationMs),
    periodType: unit('space', 'bytes'),
    period: Math.round(capture.sampleBytes ?? 0),
    defaultSampleType: strings.dedup(samples.allocatedBytes ? shownFirst : 'inuse_space'),
    stringTable: strings,
  }).encode();
}

function nanoseconds(milliseconds: number | undefined): bigint {
  return BigInt(Math.round((milliseconds ?? 0) * 1000)) * 1000n;
}

/** Columns that were recorded; collapsed stacks have no objects. */
function valueColumns({ samples }: HeapProfile) {
  const columns = [
    { type: 'alloc_objects', name: 'count', column: samples.allocatedObjects },
    { type: 'alloc_space', name: 'bytes', column: samples.allocatedBytes },
    { type: 'inuse_objects', name: 'count', column: samples.liveObjects },
    { type: 'inuse_space', name: 'bytes', column: samples.liveBytes },
  ];
  return columns.flatMap(({ type, name, column }) => {
    if (column === undefined || (type === 'inuse_objects' && column.length > 0 && column.every(Number.isNaN)))
      return [];
    return [{ type, name, column }];
  });
}

interface PprofFunctionInput {
  readonly id: number;
  readonly name: number;
  readonly systemName: number;
  readonly filename: number;
  readonly startLine: number;
}

/** pprof's locations and functions; ids count from 1. */
function openLocations(
  profile: HeapProfile,
  strings: StringTable,
  mappings: ReturnType<typeof openPprofMappings>,
): {
  readonly locations: LocationInput[];
  readonly functions: PprofFunctionInput[];
  ofStack(frames: Uint32Array): number[];
  details(): PprofDetails;
} {
  const locations: LocationInput[] = [];
  const functions: PprofFunctionInput[] = [];
  const functionKinds: string[] = [];
  const functionColumns: [number, number][] = [];
  const locationKinds: [number, number][] = [];
  const positions: [number, number, number][] = [];
  const inlinedLocations: number[] = [];
  const functionIds = new Map<string, number>();
  /** Locations of one frame, which most are. */
  const single = new Uint32Array(profile.frames.count);
  const groups = new Map<string, number>();
  const checksum = openPprofChecksum();
  const { frames } = profile;

  const functionOf = ({ name, file, functionLine, functionColumn, kind }: Frame): number => {
    const key = `${functionLine} ${functionColumn} ${kind} ${JSON.stringify([name, file])}`;
    const known = functionIds.get(key);
    if (known !== undefined) return known;
    const id = functions.length + 1;
    const nameAt = strings.dedup(name);
    functions.push({ id, name: nameAt, systemName: nameAt, filename: strings.dedup(file), startLine: functionLine });
    functionKinds.push(String.fromCharCode(LETTER_A + FRAME_KINDS.indexOf(kind)));
    if (functionColumn > 0) functionColumns.push([id, functionColumn]);
    functionIds.set(key, id);
    return id;
  };

  const locationOf = (group: Uint32Array): number => {
    const id = locations.length + 1;
    const read = Array.from(group, (frame) => frameAt(profile, frame));
    const outermost = read.at(-1)!;
    const bare = read.length === 1 && isBare(outermost);
    if (outermost.inlined) inlinedLocations.push(id);
    if (bare && outermost.kind !== 'unknown') locationKinds.push([id, FRAME_KINDS.indexOf(outermost.kind)]);
    read.forEach(({ position }, line) => {
      if (position >= 0) positions.push([id, line, position]);
    });
    locations.push({
      id,
      mappingId: mappings.idOf(read),
      address: Number.isNaN(outermost.address) ? 0 : outermost.address,
      line: bare
        ? []
        : read.map((frame) => ({ functionId: functionOf(frame), line: frame.line, column: frame.column })),
      isFolded: false,
    });
    return id;
  };

  return {
    locations,
    functions,
    ofStack(stack) {
      const ids: number[] = [];
      for (let at = 0; at < stack.length; ) {
        let end = at + 1;
        while (
          end < stack.length &&
          frames.inlined[stack[end - 1]!] === 1 &&
          sharePlace(profile, stack[end - 1]!, stack[end]!)
        ) {
          end += 1;
        }
        if (end === at + 1) {
          const frame = stack[at]!;
          if (single[frame] === 0) single[frame] = locationOf(stack.subarray(at, end));
          ids.push(single[frame]!);
        } else {
          const group = stack.subarray(at, end);
          const key = group.join(' ');
          let id = groups.get(key);
          if (id === undefined) {
            id = locationOf(group);
            groups.set(key, id);
          }
          ids.push(id);
        }
        at = end;
      }
      return ids;
    },
    details() {
      for (const { name, filename, startLine } of functions) {
        checksum.text(strings.strings[name] ?? '');
        checksum.text(strings.strings[filename] ?? '');
        checksum.number(startLine);
      }
      for (const { address, line } of locations) {
        checksum.number(Number(address));
        for (const { functionId } of line ?? []) checksum.number(Number(functionId));
      }
      return {
        checksum: checksum.value(),
        functionKinds: functionKinds.join(''),
        functionColumns,
        locationKinds,
        positions,
        inlinedLocations,
      };
    },
  };
}

const LETTER_A = 97;

/** A frame of which no more is known than its address and module: pprof then shows these. */
function isBare({ name, file, line, column, functionLine, functionColumn, position }: Frame): boolean {
  return (
    name === '' && file === '' && position < 0 && [line, column, functionLine, functionColumn].every((at) => at === 0)
  );
}

/** Whether an inlined frame and the one after it are one place in the machine code. */
function sharePlace({ frames }: HeapProfile, inner: number, outer: number): boolean {
  return Object.is(frames.address[inner], frames.address[outer]) && frames.module[inner] === frames.module[outer];
}
