import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { WIRE, WIRE_OPERATIONS, type WireOperation } from '../../src/model/agent-wire.js';

/** An agent's answer as it came. */
export interface WireAnswer {
  readonly version: number;
  readonly operation: number;
  readonly id: number;
  readonly status: number;
  readonly payload: Buffer;
}

/** A client that says exactly what it is told, and understands nothing: the product's own is in src/sources/agent. */
export interface BareClient {
  readonly socket: Socket;
  /** Sends bytes as they are. */
  send(bytes: Buffer): void;
  /** The next answer; fails where the connection ends before. */
  answer(): Promise<WireAnswer>;
  ask(operation: WireOperation | number, payload?: Buffer): Promise<WireAnswer>;
  /** All that came and was not taken, once the agent has closed the connection. */
  readonly ended: Promise<Buffer>;
}

/** A question's bytes. */
export function wireQuestion(
  operation: WireOperation | number,
  payload: Buffer = Buffer.alloc(0),
  changes: { readonly version?: number; readonly id?: number; readonly length?: number; readonly magic?: number } = {},
): Buffer {
  const header = Buffer.alloc(WIRE.headerBytes);
  header.writeUInt32LE(changes.magic ?? WIRE.magic, 0);
  header.writeUInt16LE(changes.version ?? WIRE.version, 4);
  header.writeUInt16LE(typeof operation === 'number' ? operation : WIRE_OPERATIONS[operation], 6);
  header.writeUInt32LE(changes.id ?? 1, 8);
  header.writeUInt32LE(changes.length ?? payload.length, 16);
  return Buffer.concat([header, payload]);
}

/** The bytes of a question to read a key. */
export function readPayload(type: number, name: string, refresh = true): Buffer {
  return Buffer.concat([Buffer.of(type, refresh ? 1 : 0, 0, 0), Buffer.from(name)]);
}

/** The bytes of a question to write a key; no value: a bare write. */
export function writePayload(type: number, oldType: number, name: string, value: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.of(type, oldType, 0, 0);
  head.writeUInt16LE(name.length, 2);
  return Buffer.concat([head, Buffer.from(name), value]);
}

/** Connects; closed when the test ends. */
export async function openBareClient(path: string): Promise<BareClient> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let bytes: Buffer = Buffer.alloc(0);
  let over = false;
  let notify = () => {};
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    notify();
  });
  const ended = new Promise<Buffer>((resolve) =>
    socket.once('close', () => {
      over = true;
      notify();
      resolve(bytes);
    }),
  );
  const take = async (count: number) => {
    while (bytes.length < count) {
      if (over) throw new Error(`the agent closed the connection after ${bytes.length} of ${count} bytes`);
      await new Promise<void>((resolve) => {
        notify = resolve;
      });
    }
    const taken = bytes.subarray(0, count);
    bytes = bytes.subarray(count);
    return taken;
  };
  const answer = async (): Promise<WireAnswer> => {
    const header = await take(WIRE.headerBytes);
    if (header.readUInt32LE(0) !== WIRE.magic) throw new Error(`no answer: ${header.toString('hex')}`);
    return {
      version: header.readUInt16LE(4),
      operation: header.readUInt16LE(6),
      id: header.readUInt32LE(8),
      status: header.readInt32LE(12),
      payload: await take(header.readUInt32LE(16)),
    };
  };
  return {
    socket,
    send: (data) => void socket.write(data),
    answer,
    ask(operation, payload) {
      socket.write(wireQuestion(operation, payload));
      return answer();
    },
    ended,
  };
}

/** Waits until something is so; fails after a while. */
export async function until<Value>(
  look: () => Value | undefined | false | Promise<Value | undefined | false>,
  what: string,
  deadlineMs = 15_000,
): Promise<Value> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`never so within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits for a process's socket, and connects. */
export async function openAgentOf(path: string): Promise<BareClient> {
  await until(() => existsSync(path), `a socket ${path}`);
  return until(() => openBareClient(path).catch(() => undefined), `an agent behind ${path}`);
}
