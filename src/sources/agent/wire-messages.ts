import type { AgentHello } from '../../model/agent.js';
import { WIRE, WIRE_FLAGS, WIRE_OPERATIONS, type WireOperation } from '../../model/agent-wire.js';
import { MALLCTL_TYPES, type MallctlType } from '../../model/mallctl-keys/row.js';
import type { RawMallctlValue } from '../../native.js';

/** A message's header, of whatever version its sender is. */
export interface WireHeader {
  readonly version: number;
  readonly operation: number;
  readonly id: number;
  readonly status: number;
  readonly length: number;
}

/** An answer as it came. */
export interface WireAnswer extends WireHeader {
  readonly payload: Buffer;
}

/** A value that goes to jemalloc. */
export type WireInput = boolean | bigint | string | undefined;

/** The bytes of a question; undefined where the agent would not take one so long. */
export function encodeQuestion(
  operation: WireOperation,
  id: number,
  payload: Uint8Array = new Uint8Array(),
): Buffer | undefined {
  if (payload.length > WIRE.questionMaxBytes) return undefined;
  const message = Buffer.alloc(WIRE.headerBytes + payload.length);
  message.writeUInt32LE(WIRE.magic, 0);
  message.writeUInt16LE(WIRE.version, 4);
  message.writeUInt16LE(WIRE_OPERATIONS[operation], 6);
  message.writeUInt32LE(id, 8);
  message.writeInt32LE(0, 12);
  message.writeUInt32LE(payload.length, 16);
  message.set(payload, WIRE.headerBytes);
  return message;
}

/** Reads a header; a text says why the bytes are none. */
export function parseHeader(bytes: Buffer): WireHeader | string {
  if (bytes.length < WIRE.headerBytes) return `it sent ${bytes.length} bytes where ${WIRE.headerBytes} were to come`;
  if (bytes.readUInt32LE(0) !== WIRE.magic) return `it sent bytes that are no answer (${shown(bytes)})`;
  const length = bytes.readUInt32LE(16);
  if (length > WIRE.answerMaxBytes) {
    return `it announced an answer of ${length} bytes, above the ${WIRE.answerMaxBytes} there may be`;
  }
  return {
    version: bytes.readUInt16LE(4),
    operation: bytes.readUInt16LE(6),
    id: bytes.readUInt32LE(8),
    status: bytes.readInt32LE(12),
    length,
  };
}

function shown(bytes: Buffer): string {
  const text = bytes.subarray(0, 16).toString('latin1');
  return /^[\x20-\x7e\r\n\t]+$/.test(text) ? JSON.stringify(text) : bytes.subarray(0, 16).toString('hex');
}

/** Cuts a stream into answers, however it is divided. */
export interface AnswerFraming {
  /** The answers that these bytes complete; `disorder` says why what follows them is none, and ends it: nothing after it can be read. */
  push(chunk: Buffer): { readonly answers: readonly WireAnswer[]; readonly disorder: string | undefined };
  /** Bytes of an answer whose end has not come. */
  readonly waitingBytes: number;
}

/** Begins with nothing received. It keeps no more than one answer, however much is announced. */
export function openAnswerFraming(): AnswerFraming {
  let chunks: Buffer[] = [];
  let held = 0;
  let header: WireHeader | undefined;
  let disorder: string | undefined;
  const take = (length: number): Buffer => {
    const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    const rest = all.subarray(length);
    chunks = rest.length > 0 ? [rest] : [];
    held -= length;
    return all.subarray(0, length);
  };
  return {
    push(chunk) {
      if (disorder !== undefined) return { answers: [], disorder };
      if (chunk.length > 0) chunks.push(chunk);
      held += chunk.length;
      const answers: WireAnswer[] = [];
      for (;;) {
        if (!header && held >= WIRE.headerBytes) {
          const parsed = parseHeader(take(WIRE.headerBytes));
          if (typeof parsed === 'string') disorder = parsed;
          else header = parsed;
        }
        if (disorder !== undefined || !header || held < header.length) return { answers, disorder };
        answers.push({ ...header, payload: header.length > 0 ? take(header.length) : Buffer.alloc(0) });
        header = undefined;
      }
    },
    get waitingBytes() {
      return held + (header ? WIRE.headerBytes : 0);
    },
  };
}

const nameBytes = (name: string) => Buffer.from(name, 'utf8');

/** What is asked by `read`. */
export function encodeRead(name: string, type: MallctlType, refresh: boolean): Buffer {
  return Buffer.concat([Buffer.from([MALLCTL_TYPES[type].code, refresh ? 1 : 0, 0, 0]), nameBytes(name)]);
}

/** What is asked by `write`: `oldType` is `void` where the value before is not wanted. */
export function encodeWrite(name: string, type: MallctlType, value: WireInput, oldType: MallctlType): Buffer {
  const bytes = nameBytes(name);
  const head = Buffer.from([MALLCTL_TYPES[type].code, MALLCTL_TYPES[oldType].code, 0, 0]);
  head.writeUInt16LE(bytes.length, 2);
  return Buffer.concat([head, bytes, encodeValue(type, value)]);
}

function encodeValue(type: MallctlType, value: WireInput): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0]);
  if (typeof value === 'string') return Buffer.from(`${value}\0`, 'utf8');
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return type === 'unsigned' || type === 'uint32_t' ? bytes.subarray(0, 4) : bytes;
}

/** What is asked by `select`. */
export function encodeSelect(keys: ReadonlyArray<{ readonly name: string; readonly type: MallctlType }>): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16LE(keys.length);
  const parts = keys.map(({ name, type }) => {
    const bytes = nameBytes(name);
    return Buffer.concat([Buffer.from([MALLCTL_TYPES[type].code, bytes.length]), bytes]);
  });
  return Buffer.concat([count, ...parts]);
}

/** What is asked by `decay` and `purge`. */
export function encodeArena(arena: number | undefined): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(arena ?? WIRE.allArenas);
  return bytes;
}

/** What is asked by `profReset`. */
export function encodeProfReset(lgSample: number | undefined): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(lgSample ?? -1));
  return bytes;
}

/** Texts that end in a zero byte, or with the bytes. */
function textsOf(bytes: Buffer): string[] {
  const texts = bytes.toString('utf8').split('\0');
  return texts.at(-1) === '' ? texts.slice(0, -1) : texts;
}

/** An introduction, and the difference of its clock to the one that `nowNs` is of; undefined for other bytes. */
export function parseHello(
  payload: Buffer,
  nowNs: bigint,
): { readonly hello: AgentHello; readonly clockOffsetNs: bigint } | undefined {
  if (payload.length < 24) return undefined;
  const [jemkitVersion, jemallocVersion] = textsOf(payload.subarray(24));
  if (jemkitVersion === undefined) return undefined;
  const flags = payload.readUInt32LE(4);
  const [started, now] = [payload.readBigUInt64LE(8), payload.readBigUInt64LE(16)];
  const has = (flag: number) => (flags & flag) !== 0;
  return {
    hello: {
      pid: payload.readUInt32LE(0),
      jemkitVersion,
      jemallocVersion: has(WIRE_FLAGS.hasJemalloc) ? (jemallocVersion ?? '') : undefined,
      profilingCompiledIn: has(WIRE_FLAGS.profCompiledIn),
      profilingEnabled: has(WIRE_FLAGS.profEnabled),
      place: has(WIRE_FLAGS.inAddon) ? 'addon' : 'preloaded',
      ageMs: Number(now > started ? now - started : 0n) / 1e6,
    },
    clockOffsetNs: now - nowNs,
  };
}

const VALUE_HEAD_BYTES = 8;

const TYPES_BY_CODE = new Map(
  (Object.keys(MALLCTL_TYPES) as MallctlType[]).map((type) => [MALLCTL_TYPES[type].code as number, type]),
);

function parseInteger(type: MallctlType, bytes: Buffer): RawMallctlValue | undefined {
  if (bytes.length !== 4 && bytes.length !== 8) return undefined;
  const signed = type === 'ssize_t' || type === 'int64_t';
  const value =
    bytes.length === 4
      ? BigInt(signed ? bytes.readInt32LE() : bytes.readUInt32LE())
      : signed
        ? bytes.readBigInt64LE()
        : bytes.readBigUInt64LE();
  if (MALLCTL_TYPES[type].javascript === 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The value in an answer to `read` or `write`, in the form the addon gives it; undefined for bytes that are none. */
export function parseValue(payload: Buffer): RawMallctlValue | undefined {
  const type = payload.length < VALUE_HEAD_BYTES ? undefined : TYPES_BY_CODE.get(payload.readUInt8(0));
  if (type === undefined) return undefined;
  if (payload.readUInt8(1) !== 0) return null;
  const bytes = payload.subarray(VALUE_HEAD_BYTES);
  switch (MALLCTL_TYPES[type].javascript) {
    case 'nothing':
      return undefined;
    case 'boolean':
      return bytes.length === 1 ? bytes[0] !== 0 : undefined;
    case 'string':
      return bytes.subarray(0, bytes.indexOf(0) === -1 ? bytes.length : bytes.indexOf(0)).toString('utf8');
    case 'object':
      return bytes.length === 16 ? [bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8)] : undefined;
    default:
      return parseInteger(type, bytes);
  }
}

/** The true size of a value that was asked for with a wrong type, or 0 where jemalloc did not tell. */
export function parseTrueSize(payload: Buffer): number {
  return payload.length < VALUE_HEAD_BYTES ? 0 : payload.readUInt32LE(4);
}

/** A sample of `count` selected keys; undefined for bytes that are none. */
export function parseSample(
  payload: Buffer,
  count: number,
): { readonly monotonicNs: bigint; readonly values: readonly number[] } | undefined {
  if (payload.length !== 8 + 8 * count) return undefined;
  const values = Array.from({ length: count }, (_, at) => payload.readDoubleLE(8 + 8 * at));
  return { monotonicNs: payload.readBigUInt64LE(), values };
}

/** What JavaScript in the process told, and when; undefined for bytes that are none. */
export function parseNodeAnswer(payload: Buffer): { readonly atNs: bigint; readonly text: string } | undefined {
  return payload.length < 8
    ? undefined
    : { atNs: payload.readBigUInt64LE(), text: payload.subarray(8).toString('utf8') };
}
