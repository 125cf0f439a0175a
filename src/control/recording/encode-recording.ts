import type { MemorySample } from '../../model/memory-sample.js';
import {
  FOLLOWED_COLUMNS,
  RECORDED_COLUMNS,
  type RecordingEvent,
  type RecordingHead,
  rowOfSample,
} from '../../model/recording.js';
import {
  checksum,
  countsBytes,
  FORMAT_VERSION,
  isExact,
  MAGIC,
  planColumns,
  RECORD_TYPES,
  UNIT_BYTES,
  zigzag,
} from '../../sources/recording/record-bytes.js';

const IN_BYTES = RECORDED_COLUMNS.map(countsBytes);
const PLAN = planColumns(RECORDED_COLUMNS, FOLLOWED_COLUMNS);
const BITMAP_BYTES = Math.ceil(RECORDED_COLUMNS.length / 8);

/** A buffer that grows; its content is written and forgotten with each record. */
function openByteWriter() {
  let bytes = new Uint8Array(1024);
  let at = 0;
  const room = (more: number) => {
    if (at + more <= bytes.length) return;
    const larger = new Uint8Array(Math.max(bytes.length * 2, at + more));
    larger.set(bytes);
    bytes = larger;
  };
  return {
    varint(value: number): void {
      room(8);
      let rest = value;
      while (rest >= 128) {
        bytes[at++] = (rest % 128) | 0x80;
        rest = Math.floor(rest / 128);
      }
      bytes[at++] = rest;
    },
    double(value: number): void {
      room(8);
      new DataView(bytes.buffer).setFloat64(at, value, true);
      at += 8;
    },
    bytes(more: Uint8Array): void {
      room(more.length);
      bytes.set(more, at);
      at += more.length;
    },
    /** What was written since the last call. */
    take(): Uint8Array {
      const taken = bytes.slice(0, at);
      at = 0;
      return taken;
    },
  };
}

function frame(type: number, content: Uint8Array): Uint8Array {
  const writer = openByteWriter();
  writer.varint(content.length * 4 + type);
  writer.bytes(content);
  const framed = writer.take();
  const crc = checksum(framed, 0, framed.length);
  const whole = new Uint8Array(framed.length + 2);
  whole.set(framed);
  whole[framed.length] = crc & 0xff;
  whole[framed.length + 1] = crc >> 8;
  return whole;
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** The bytes a file begins with. */
export function encodeHead(head: RecordingHead): Uint8Array {
  const record = frame(RECORD_TYPES.head, json({ ...head, columns: RECORDED_COLUMNS, followed: FOLLOWED_COLUMNS }));
  return Uint8Array.of(...MAGIC, FORMAT_VERSION, 0x0a, ...record);
}

/** The bytes of an event. */
export function encodeEvent(event: RecordingEvent): Uint8Array {
  return frame(RECORD_TYPES.event, json(event));
}

/** Codes the samples of one recording, each against the one before: they belong into the file in this order, and all of them. */
export function openSampleEncoder({ startedAtMs }: RecordingHead): (sample: MemorySample) => Uint8Array {
  const row = new Float64Array(RECORDED_COLUMNS.length);
  const base = new Float64Array(RECORDED_COLUMNS.length);
  const previousBase = new Float64Array(RECORDED_COLUMNS.length);
  const measured = new Uint8Array(RECORDED_COLUMNS.length);
  const changed = new Uint8Array(BITMAP_BYTES);
  const cells = openByteWriter();
  const writer = openByteWriter();
  let monotonicUs = 0;
  let stepUs = 0;
  let atMs = startedAtMs;

  const writeCell = (column: number, value: number, expected: number): void => {
    const change = value - expected;
    if (Number.isNaN(value)) cells.varint(0);
    else if (!isExact(value) || !isExact(expected) || !isExact(change)) {
      cells.varint(1);
      cells.double(value);
    } else if (!IN_BYTES[column]) cells.varint(2 + zigzag(change));
    else if (change % UNIT_BYTES === 0) cells.varint(3 + 2 * zigzag(change / UNIT_BYTES));
    else cells.varint(2 + 2 * zigzag(change));
  };

  return (sample) => {
    const step = Math.round(sample.monotonicMs * 1000) - monotonicUs;
    const wallStep = Math.round(sample.atMs) - atMs;
    writer.varint(zigzag(step - stepUs));
    writer.varint(zigzag(wallStep - Math.round(step / 1000)));
    monotonicUs += step;
    stepUs = step;
    atMs += wallStep;

    rowOfSample(sample, row);
    changed.fill(0);
    previousBase.set(base);
    for (const column of PLAN.order) {
      const value = row[column] as number;
      const expected = PLAN.expected(column, base, previousBase);
      // Not measured twice is no change.
      const unchanged = Number.isNaN(value) ? !measured[column] : measured[column] && value === expected;
      if (!unchanged) {
        changed[column >> 3] = (changed[column >> 3] as number) | (1 << (column & 7));
        writeCell(column, value, expected);
      }
      measured[column] = Number.isNaN(value) ? 0 : 1;
      if (measured[column]) base[column] = value;
    }
    writer.bytes(changed);
    writer.bytes(cells.take());
    return frame(RECORD_TYPES.sample, writer.take());
  };
}
