import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WIRE } from '../../../../src/model/agent-wire.js';
import { connectTo, isAnswer, openConversation } from '../../../../src/sources/agent/agent-conversation.js';
import { temporaryFolder } from '../../../support/programs.js';

/** A peer that does with what it gets as the test says, and a conversation with it. */
async function converse(
  onQuestion: (socket: Socket, question: Buffer) => void,
  onConnection?: (socket: Socket) => void,
) {
  const path = join(temporaryFolder(), 'peer.sock');
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection?.(socket);
    socket.on('data', (question: Buffer) => onQuestion(socket, question));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const socket = await connectTo(path, Date.now() + 2000);
  if (typeof socket === 'string') throw new Error(socket);
  const conversation = openConversation(socket);
  onTestFinished(conversation.close);
  return conversation;
}

function answer(id: number, text = '', version: number = WIRE.version): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(WIRE.headerBytes), Buffer.from(text)]);
  bytes.writeUInt32LE(WIRE.magic, 0);
  bytes.writeUInt16LE(version, 4);
  bytes.writeUInt32LE(id, 8);
  bytes.writeUInt32LE(text.length, 16);
  return bytes;
}

/** The questions in some bytes, by their ids. */
function idsIn(bytes: Buffer): number[] {
  const ids: number[] = [];
  for (let at = 0; at + WIRE.headerBytes <= bytes.length; at += WIRE.headerBytes + bytes.readUInt32LE(at + 16))
    ids.push(bytes.readUInt32LE(at + 8));
  return ids;
}

describe('a conversation', () => {
  test('asks without waiting, and gets its answers in order', async () => {
    const { ask } = await converse((socket, question) => {
      for (const id of idsIn(question)) socket.write(answer(id, `to ${id}`));
    });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => ask('stats', Buffer.from('J'), 2000)));
    expect(outcomes.map((outcome) => (isAnswer(outcome) ? outcome.payload.toString() : outcome.kind))).toEqual(
      outcomes.map((_, at) => `to ${at + 1}`),
    );
  });

  test('with one that never answers: silent', async () => {
    const { ask } = await converse(() => {});
    const first = ask('hello', undefined, 60);
    const second = ask('hello', undefined, 5000);
    expect(await first).toEqual({ kind: 'silent', afterMs: 60, receivedBytes: 0 });
    // What was asked after it will not be answered either.
    expect((await second) as object).toMatchObject({ kind: 'silent' });
    expect(await ask('hello', undefined, 5000)).toMatchObject({ kind: 'silent' });
  });

  test('with one that gives half an answer: silent, and how much came', async () => {
    const { ask } = await converse((socket) => void socket.write(answer(1, 'whole').subarray(0, 22)));
    expect(await ask('hello', undefined, 100)).toMatchObject({ kind: 'silent', receivedBytes: 22 });
  });

  test('with one that hangs up: closed', async () => {
    const { ask } = await converse((socket) => socket.destroy());
    expect(await ask('hello', undefined, 2000)).toEqual({ kind: 'closed' });
    expect(await ask('hello', undefined, 2000)).toEqual({ kind: 'closed' });
  });

  test('with one that hangs up before anything is asked: closed', async () => {
    const { ask } = await converse(
      () => {},
      (socket) => socket.end(),
    );
    expect(await ask('hello', undefined, 2000)).toEqual({ kind: 'closed' });
  });

  test.each<[string, Buffer, string]>([
    ['garbage', Buffer.from('SSH-2.0-OpenSSH_9.2 and more\r\n'), 'bytes that are no answer'],
    ['another answer', answer(7), 'it answered question 7 before 1'],
    ['too much', Buffer.concat([answer(1), answer(2)]), 'it answered what nobody asked'],
  ])('with one that sends %s: disorder', async (_name, bytes, detail) => {
    const { ask } = await converse((socket) => void socket.write(bytes));
    await ask('hello', undefined, 2000);
    await expect
      .poll(async () => {
        const outcome = await ask('hello', undefined, 2000);
        return isAnswer(outcome) ? '' : outcome.kind === 'disorder' ? outcome.detail : outcome.kind;
      })
      .toContain(detail);
  });

  test('with one of another version: which', async () => {
    const { ask } = await converse((socket) => void socket.write(answer(1, '', 9)));
    expect(await ask('hello', undefined, 2000)).toEqual({ kind: 'version', theirs: 9 });
  });

  test('does not send what is too long, and goes on', async () => {
    const { ask } = await converse((socket, question) => {
      for (const id of idsIn(question)) socket.write(answer(id));
    });
    expect(await ask('stats', Buffer.alloc(WIRE.questionMaxBytes + 1), 2000)).toEqual({ kind: 'too-long' });
    expect(await ask('stats', undefined, 2000)).toMatchObject({ status: 0 });
  });
});

test('nobody there: the name of the error', async () => {
  const path = join(temporaryFolder(), 'none.sock');
  expect(await connectTo(path, Date.now() + 1000)).toBe('ENOENT');
});
