import type { Profile } from 'pprof-format';
import { type CaptureFacts, UNKNOWN_CAPTURE } from '../../model/heap-profile.js';
import {
  openPprofChecksum,
  PPROF_CAPTURE_PREFIX,
  PPROF_DETAILS_PREFIX,
  type PprofCapture,
  type PprofDetails,
} from '../../model/pprof-facts.js';

export type Numeric = number | bigint;

export type TextAt = (index: Numeric) => string;

/** An int64: the library reads it without its sign. Differences have such numbers. */
export function signed(value: Numeric): number {
  return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : value;
}

/** Where the profile comes from: as jemkit tells, else what pprof has fields for. */
export function readCaptureFacts(source: Profile, text: TextAt, details: PprofDetails | undefined): CaptureFacts {
  const capture = readCapture(source, text);
  return {
    ...(capture === undefined ? factsOfHeader(source, text) : { ...UNKNOWN_CAPTURE, ...capture }),
    statistics: details?.statistics,
    sizeClasses: details?.sizeClasses,
  };
}

function factsOfHeader(source: Profile, text: TextAt): CaptureFacts {
  const milliseconds = (nanoseconds: Numeric) => {
    const value = signed(nanoseconds) / 1e6;
    return value > 0 ? value : undefined;
  };
  const periodUnit = source.periodType === undefined ? '' : text(source.periodType.unit);
  const period = signed(source.period);
  return {
    ...UNKNOWN_CAPTURE,
    format: 'pprof',
    takenAtMs: milliseconds(source.timeNanos),
    durationMs: milliseconds(source.durationNanos),
    program: text(source.mapping[0]?.filename ?? 0) || undefined,
    sampleBytes: periodUnit === 'bytes' && period > 0 ? period : undefined,
  };
}

/** What a jemkit wrote beside the fields of pprof; undefined: another program wrote the file. */
export function readDetails(source: Profile, strings: readonly string[], text: TextAt): PprofDetails | undefined {
  const found = strings.find((line) => line.startsWith(PPROF_DETAILS_PREFIX));
  const details =
    found === undefined ? undefined : parseJson<PprofDetails>(found.slice(PPROF_DETAILS_PREFIX.length), isDetails);
  if (details === undefined || details.checksum === checksumOf(source, text)) return details;
  return { ...details, functionKinds: '', functionColumns: [], locationKinds: [], positions: [], inlinedLocations: [] };
}

function readCapture(source: Profile, text: TextAt): PprofCapture | undefined {
  const found = source.comment.map(text).find((line) => line.startsWith(PPROF_CAPTURE_PREFIX));
  return found === undefined ? undefined : parseJson<PprofCapture>(found.slice(PPROF_CAPTURE_PREFIX.length), isCapture);
}

function checksumOf(source: Profile, text: TextAt): number {
  const checksum = openPprofChecksum();
  for (const { name, filename, startLine } of source.function) {
    checksum.text(text(name));
    checksum.text(text(filename));
    checksum.number(Number(startLine));
  }
  for (const { address, line } of source.location) {
    checksum.number(Number(address));
    for (const { functionId } of line) checksum.number(Number(functionId));
  }
  return checksum.value();
}

/** Undefined where the text is not what jemkit writes. */
function parseJson<T>(json: string, check: (value: Record<string, unknown>) => boolean): T | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && check(value as Record<string, unknown>)
      ? (value as T)
      : undefined;
  } catch {
    return undefined;
  }
}

const NUMBERS = ['takenAtMs', 'durationMs', 'pid', 'sampleBytes'];
const TEXTS = ['program', 'nodeVersion', 'jemallocVersion'];

function isCapture(value: Record<string, unknown>): boolean {
  const { format, notes, unwinder } = value;
  return (
    typeof format === 'string' &&
    Array.isArray(notes) &&
    notes.every((note) => typeof note === 'string') &&
    NUMBERS.every((key) => value[key] === undefined || typeof value[key] === 'number') &&
    TEXTS.every((key) => value[key] === undefined || typeof value[key] === 'string') &&
    (unwinder === undefined || unwinder === 'jemkit' || unwinder === 'jemalloc')
  );
}

const SIZE_CLASS_KEYS = ['sizeBytes', 'slabBytes', 'regionsPerSlab', 'regionsInUse', 'slabs'];

function isDetails(value: Record<string, unknown>): boolean {
  const { checksum, functionKinds, functionColumns, locationKinds, positions, inlinedLocations } = value;
  const { statistics, sizeClasses } = value;
  const numbers = (row: unknown, length?: number) =>
    Array.isArray(row) &&
    (length === undefined || row.length === length) &&
    row.every((number) => typeof number === 'number');
  const rows = (list: unknown, length: number) => Array.isArray(list) && list.every((row) => numbers(row, length));
  const isRecord = (record: unknown): record is Record<string, unknown> =>
    typeof record === 'object' && record !== null;
  return (
    typeof checksum === 'number' &&
    typeof functionKinds === 'string' &&
    (functionColumns === undefined || rows(functionColumns, 2)) &&
    rows(locationKinds, 2) &&
    rows(positions, 3) &&
    numbers(inlinedLocations) &&
    (statistics === undefined || (isRecord(statistics) && numbers(Object.values(statistics)))) &&
    (sizeClasses === undefined ||
      (Array.isArray(sizeClasses) &&
        sizeClasses.every((row) => isRecord(row) && numbers(SIZE_CLASS_KEYS.map((key) => row[key])))))
  );
}
