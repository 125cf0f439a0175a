import type { MemorySample } from '../../model/memory-sample.js';
import {
  openRowReader,
  type Recording,
  type RecordingCompleteness,
  type RecordingEvent,
  type RecordingHead,
  type RecordingRefusal,
} from '../../model/recording.js';
import {
  checksum,
  countsBytes,
  FORMAT_VERSION,
  MAGIC,
  openByteReader,
  PREAMBLE_BYTES,
  planColumns,
  RECORD_TYPES,
  UNIT_BYTES,
  unzigzag,
} from './record-bytes.js';

/** More columns than any version writes; a head that says so is damaged. */
const MOST_COLUMNS = 10_000;

interface Frame {
  readonly type: number;
  readonly from: number;
  readonly to: number;
  readonly next: number;
}

/** The record that begins here; undefined where no whole one does. */
function readFrame(bytes: Uint8Array, at: number): Frame | undefined {
  const reader = openByteReader(bytes, at, bytes.length);
  const tag = reader.varint();
  if (Number.isNaN(tag)) return undefined;
  const from = reader.at;
  const to = from + Math.floor(tag / 4);
  if (to + 2 > bytes.length) return undefined;
  const stored = (bytes[to] as number) | ((bytes[to + 1] as number) << 8);
  if (stored !== checksum(bytes, at, to)) return undefined;
  return { type: tag % 4, from, to, next: to + 2 };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

interface FileHead {
  readonly head: RecordingHead;
  readonly columns: readonly string[];
  readonly followed: Readonly<Record<string, unknown>>;
}

function parseHead(value: unknown): FileHead | undefined {
  if (!isObject(value)) return undefined;
  const { columns, command, pid, startedAtMs, intervalMs, jemkitVersion, host } = value;
  if (!Array.isArray(columns) || columns.length > MOST_COLUMNS || !columns.every((name) => typeof name === 'string'))
    return undefined;
  if (typeof command !== 'string' || !isCount(pid) || !isCount(startedAtMs) || !isCount(intervalMs)) return undefined;
  const facts = isObject(host) ? host : {};
  const number = (name: string) => (isCount(facts[name]) ? (facts[name] as number) : undefined);
  return {
    columns: columns as string[],
    followed: isObject(value['followed']) ? value['followed'] : {},
    head: {
      jemkitVersion: textOf(jemkitVersion) ?? '',
      pid,
      command,
      startedAtMs,
      intervalMs,
      host: {
        kernelRelease: textOf(facts['kernelRelease']),
        distribution: textOf(facts['distribution']),
        architecture: textOf(facts['architecture']),
        processors: number('processors'),
        memoryBytes: number('memoryBytes'),
        memoryLimitBytes: number('memoryLimitBytes'),
      },
    },
  };
}

/** An event this version knows; others, of later versions, are passed over. */
function parseEvent(value: unknown): RecordingEvent | undefined {
  if (!isObject(value) || !isCount(value['atMs'])) return undefined;
  const { atMs, kind, command, reason, exitCode, jemallocVersion } = value;
  if (kind === 'agent') return { atMs, kind, jemallocVersion: textOf(jemallocVersion) };
  if (kind === 'agent-lost') return { atMs, kind };
  if (kind === 'exec' && typeof command === 'string') return { atMs, kind, command };
  if (kind === 'end' && (reason === 'target-ended' || reason === 'duration' || reason === 'stopped'))
    return { atMs, kind, reason, exitCode: isCount(exitCode) ? exitCode : undefined };
  return undefined;
}

/** Undoes the coding of samples, each against the one before. */
function openSampleDecoder({ head, columns, followed }: FileHead) {
  const toSample = openRowReader(columns);
  const plan = planColumns(columns, followed);
  const row = new Float64Array(columns.length).fill(Number.NaN);
  // What a change is against: the last number that was there, also where the column was not measured since.
  const base = new Float64Array(columns.length);
  const previousBase = new Float64Array(columns.length);
  const inBytes = columns.map(countsBytes);
  let monotonicUs = 0;
  let stepUs = 0;
  let atMs = head.startedAtMs;

  const readCell = (reader: ReturnType<typeof openByteReader>, column: number, expected: number): number => {
    const code = reader.varint();
    if (code === 0) return Number.NaN;
    if (code === 1) return reader.double();
    const change = code - 2;
    if (!inBytes[column]) return expected + unzigzag(change);
    return expected + unzigzag(Math.floor(change / 2)) * (change % 2 === 1 ? UNIT_BYTES : 1);
  };

  /** Undefined where the content is not that of a sample. */
  return (bytes: Uint8Array, from: number, to: number): MemorySample | undefined => {
    const reader = openByteReader(bytes, from, to);
    stepUs += unzigzag(reader.varint());
    monotonicUs += stepUs;
    atMs += Math.round(stepUs / 1000) + unzigzag(reader.varint());
    const changed = reader.bytes(Math.ceil(columns.length / 8));
    previousBase.set(base);
    for (const column of plan.order) {
      const isChanged = (((changed[column >> 3] ?? 0) >> (column & 7)) & 1) === 1;
      const expected = plan.expected(column, base, previousBase);
      if (isChanged) row[column] = readCell(reader, column, expected);
      else if (!Number.isNaN(row[column])) row[column] = expected;
      const value = row[column] as number;
      if (!Number.isNaN(value)) base[column] = value;
    }
    return reader.done ? toSample(row, atMs, monotonicUs / 1000) : undefined;
  };
}

/**
 * Reads a recording, as far as it is whole: one that was cut in the middle gives everything up to its last whole record.
 *
 * @param visit is called with each sample, in order.
 */
export function parseRecording(bytes: Uint8Array, visit: (sample: MemorySample) => void): Recording | RecordingRefusal {
  if (bytes.length === 0) return { kind: 'not-a-recording', detail: 'it is empty' };
  if (MAGIC.some((byte, at) => bytes[at] !== byte))
    return { kind: 'not-a-recording', detail: 'it does not begin as a recording of jemkit does' };
  const version = bytes[MAGIC.length] ?? 0;
  if (version > FORMAT_VERSION) return { kind: 'newer-format', version, known: FORMAT_VERSION };
  const first = readFrame(bytes, PREAMBLE_BYTES);
  const file =
    first?.type === RECORD_TYPES.head ? parseHead(parseJson(bytes.subarray(first.from, first.to))) : undefined;
  if (!first || !file)
    return {
      kind: 'not-a-recording',
      detail: 'its head is not whole: it was cut before the first sample, or is damaged',
    };

  const decode = openSampleDecoder(file);
  const events: RecordingEvent[] = [];
  let samples = 0;
  let at = first.next;
  while (at < bytes.length) {
    const frame = readFrame(bytes, at);
    if (!frame) break;
    if (frame.type === RECORD_TYPES.sample) {
      const sample = decode(bytes, frame.from, frame.to);
      if (!sample) break;
      samples++;
      visit(sample);
    } else if (frame.type === RECORD_TYPES.event) {
      const event = parseEvent(parseJson(bytes.subarray(frame.from, frame.to)));
      if (event) events.push(event);
    } else break;
    at = frame.next;
  }
  return { head: file.head, events, samples, completeness: completenessOf(events, at, bytes.length) };
}

function completenessOf(events: readonly RecordingEvent[], at: number, length: number): RecordingCompleteness {
  if (at < length) return { kind: 'cut', atByte: at, lostBytes: length - at };
  const end = events.findLast((event) => event.kind === 'end');
  return end ? { kind: 'whole', reason: end.reason } : { kind: 'open' };
}
