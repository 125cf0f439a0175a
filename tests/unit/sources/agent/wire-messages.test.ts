import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  WIRE,
  WIRE_FLAGS,
  WIRE_OPERATIONS,
  WIRE_PROF_FLAGS,
  WIRE_STATUSES,
  type WireOperation,
} from '../../../../src/model/agent-wire.js';
import {
  encodeArena,
  encodeProfReset,
  encodeQuestion,
  encodeRead,
  encodeSelect,
  encodeWrite,
  openAnswerFraming,
  parseHeader,
  parseHello,
  parseNodeAnswer,
  parseSample,
  parseTrueSize,
  parseValue,
  type WireAnswer,
} from '../../../../src/sources/agent/wire-messages.js';
import { ROOT } from '../../../support/programs.js';

const GOLDEN = join(ROOT, 'tests', 'golden', 'agent-wire', String(WIRE.version));
const golden = (name: string) => readFileSync(join(GOLDEN, `${name}.bin`));

/** Cuts recorded bytes into the one answer that they are. */
function answerOf(name: string): WireAnswer {
  const { answers, disorder } = openAnswerFraming().push(golden(`${name}.answer`));
  expect(disorder).toBeUndefined();
  expect(answers).toHaveLength(1);
  return answers[0]!;
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

describe('native/shared/wire.h', () => {
  const header = readFileSync(join(ROOT, 'native', 'shared', 'wire.h'), 'utf8');
  const constants = new Map(
    [...header.matchAll(/\b(JM_WIRE_\w+)\s*=\s*(-?\d+),/g)].map((match) => [match[1]!, Number(match[2])]),
  );
  const defined = (name: string) => new RegExp(`#define ${name} (.+)`).exec(header)?.[1];

  test('has the same numbers, and no others', () => {
    const ours = Object.fromEntries(
      [
        ...Object.entries(WIRE_OPERATIONS),
        ...Object.entries(WIRE_STATUSES),
        ...Object.entries(WIRE_FLAGS),
        ...Object.entries(WIRE_PROF_FLAGS).map(([name, number]) => [`prof_${name}`, number] as const),
      ].map(([name, number]) => [`JM_WIRE_${snake(name)}`, number]),
    );
    expect(Object.fromEntries(constants)).toEqual(ours);
  });

  test('has the same limits', () => {
    expect(defined('JM_WIRE_MAGIC')).toBe(`UINT32_C(0x${WIRE.magic.toString(16)})`);
    expect(Number(defined('JM_WIRE_VERSION'))).toBe(WIRE.version);
    expect(defined('JM_WIRE_QUESTION_MAX')).toBe(`(${WIRE.questionMaxBytes / 1024} * 1024)`);
    expect(defined('JM_WIRE_ANSWER_MAX')).toBe(`(${WIRE.answerMaxBytes / 2 ** 20} * 1024 * 1024)`);
    expect(Number(defined('JM_WIRE_SELECTED_MAX'))).toBe(WIRE.selectedMax);
    expect(defined('JM_WIRE_ALL_ARENAS')).toBe('UINT32_MAX');
    expect(WIRE.allArenas).toBe(2 ** 32 - 1);
    expect(header).toContain(`sizeof(struct jm_wire_header) == ${WIRE.headerBytes}`);
  });
});

describe('questions are the recorded bytes', () => {
  test.each<[string, WireOperation, Buffer]>([
    ['hello', 'hello', Buffer.alloc(0)],
    ['read', 'read', encodeRead('stats.allocated', 'size_t', true)],
    ['read-text', 'read', encodeRead('arena.0.dss', 'const char *', false)],
    ['read-null', 'read', encodeRead('opt.malloc_conf.symlink', 'const char *', false)],
    ['read-wrong-size', 'read', encodeRead('stats.allocated', 'bool', false)],
    ['write', 'write', encodeWrite('arenas.dirty_decay_ms', 'ssize_t', 1000n, 'ssize_t')],
    ['write-text', 'write', encodeWrite('arena.0.dss', 'const char *', 'disabled', 'void')],
    ['write-bare', 'write', encodeWrite('stats.mutexes.reset', 'void', undefined, 'void')],
    [
      'select',
      'select',
      encodeSelect([
        { name: 'stats.allocated', type: 'size_t' },
        { name: 'stats.nonsense', type: 'size_t' },
      ]),
    ],
    ['sample', 'sample', Buffer.alloc(0)],
    ['stats', 'stats', Buffer.from('Jmdablxe')],
    ['decay', 'decay', encodeArena(0)],
    ['purge', 'purge', encodeArena(undefined)],
    ['prof-active', 'profActive', Buffer.from([1])],
    ['prof-dump', 'profDump', Buffer.from('/tmp/a.heap')],
    ['prof-reset', 'profReset', encodeProfReset(undefined)],
    ['node', 'node', Buffer.alloc(0)],
  ])('%s', (name, operation, payload) => {
    const recorded = golden(`${name}.question`);
    expect(encodeQuestion(operation, recorded.readUInt32LE(8), payload)).toEqual(recorded);
  });

  test('of every length but too long ones', () => {
    expect(encodeQuestion('stats', 1, Buffer.alloc(WIRE.questionMaxBytes))).toHaveLength(
      WIRE.headerBytes + WIRE.questionMaxBytes,
    );
    expect(encodeQuestion('stats', 1, Buffer.alloc(WIRE.questionMaxBytes + 1))).toBeUndefined();
  });

  test('integers of each width', () => {
    const value = (type: 'unsigned' | 'uint64_t' | 'int64_t', given: bigint) =>
      encodeWrite('x', type, given, 'void').subarray(5).toString('hex');
    expect(value('unsigned', 2n ** 32n - 1n)).toBe('ffffffff');
    expect(value('uint64_t', 2n ** 64n - 1n)).toBe('ffffffffffffffff');
    expect(value('int64_t', -2n)).toBe('feffffffffffffff');
    expect(encodeWrite('x', 'bool', true, 'bool').toString('hex')).toBe('010101007801');
  });
});

describe('answers', () => {
  test('hello', () => {
    const parsed = parseHello(answerOf('hello').payload, 1_000_000_000n);
    expect(parsed).toEqual({
      hello: {
        pid: 4242,
        jemkitVersion: '0.1.0',
        jemallocVersion: expect.stringMatching(/^5\.3\.0-0-g54eaed1d/),
        profilingCompiledIn: true,
        profilingEnabled: true,
        place: 'preloaded',
        ageMs: 1500,
      },
      clockOffsetNs: 1_500_000_000n,
    });
  });

  test('hello of an addon in a process without jemalloc', () => {
    const payload = Buffer.concat([Buffer.alloc(24), Buffer.from('0.1.0\0\0')]);
    payload.writeUInt32LE(WIRE_FLAGS.inAddon, 4);
    expect(parseHello(payload, 0n)?.hello).toMatchObject({ jemallocVersion: undefined, place: 'addon', ageMs: 0 });
  });

  test('values', () => {
    expect(parseValue(answerOf('read').payload)).toBe(123_456_789);
    expect(parseValue(answerOf('read-text').payload)).toBe('secondary');
    expect(parseValue(answerOf('read-null').payload)).toBeNull();
    expect(parseValue(answerOf('write').payload)).toBe(10_000);
    expect(answerOf('write-text')).toMatchObject({ status: 0, length: 0 });
  });

  test('a size that no number holds, counters and pairs stay exact', () => {
    const value = (code: number, ...words: bigint[]) => {
      const bytes = Buffer.alloc(8 + 8 * words.length);
      bytes.writeUInt8(code, 0);
      words.forEach((word, at) => {
        bytes.writeBigUInt64LE(word, 8 + 8 * at);
      });
      return parseValue(bytes);
    };
    expect(value(4, 2n ** 64n - 1n)).toBe(2n ** 64n - 1n);
    expect(value(5, 2n ** 64n - 1n)).toBe(-1);
    expect(value(6, 5n)).toBe(5n);
    expect(value(7, 2n ** 64n - 5n)).toBe(-5n);
    expect(value(11, 3n, 4n)).toEqual([3n, 4n]);
    expect(value(0, 3n)).toBeUndefined();
    expect(value(99, 3n)).toBeUndefined();
  });

  test('a wrong type: the true size', () => {
    const { status, payload } = answerOf('read-wrong-size');
    expect(status).toBe(22);
    expect(parseTrueSize(payload)).toBe(8);
    expect(parseTrueSize(Buffer.alloc(0))).toBe(0);
  });

  test('samples', () => {
    const sample = parseSample(answerOf('sample').payload, 2);
    expect(sample?.monotonicNs).toBe(2_500_000_000n);
    expect(sample?.values).toEqual([123_456_789, Number.NaN]);
    expect(parseSample(answerOf('sample').payload, 3)).toBeUndefined();
  });

  test('what JavaScript said', () => {
    const answer = parseNodeAnswer(answerOf('node').payload);
    expect(answer?.atNs).toBe(2_000_000_000n);
    expect(JSON.parse(answer?.text ?? '')).toMatchObject({ bufferPoolBytes: 8192 });
  });

  test.each(Object.entries(WIRE_STATUSES))('the status %s', (name, status) => {
    const file = { refused: 'write-refused' }[name] ?? snake(name).toLowerCase().replaceAll('_', '-');
    expect(answerOf(file).status).toBe(status);
  });

  test('every recorded answer is one', () => {
    const names = readdirSync(GOLDEN).filter((name) => name.endsWith('.answer.bin'));
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) answerOf(name.replace('.answer.bin', ''));
  });
});

describe('framing', () => {
  const message = (id: number, payload: Uint8Array) => encodeQuestion('stats', id, payload)!;

  test('gives the same answers however the stream is divided', () => {
    const streams = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
    fc.assert(
      fc.property(streams, fc.array(fc.integer({ min: 1, max: 60 })), (payloads, cuts) => {
        const bytes = Buffer.concat(payloads.map((payload, id) => message(id, payload)));
        const framing = openAnswerFraming();
        const answers: WireAnswer[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          const pushed = framing.push(bytes.subarray(at, at + cut));
          expect(pushed.disorder).toBeUndefined();
          answers.push(...pushed.answers);
          at += cut;
        }
        expect(answers.map(({ id }) => id)).toEqual(payloads.map((_, id) => id));
        expect(answers.map(({ payload }) => [...payload])).toEqual(payloads.map((payload) => [...payload]));
        expect(framing.waitingBytes).toBe(0);
      }),
    );
  });

  test('ends at bytes that are no answer, and keeps what came before', () => {
    const framing = openAnswerFraming();
    const { answers, disorder } = framing.push(
      Buffer.concat([message(1, Buffer.alloc(3)), Buffer.from('HTTP/1.1 400 Bad Request')]),
    );
    expect(answers).toHaveLength(1);
    expect(disorder).toContain('"HTTP/1.1 400 Bad');
    expect(framing.push(message(2, Buffer.alloc(3)))).toEqual({ answers: [], disorder });
  });

  test('takes no announcement of more than there may be', () => {
    const header = message(1, Buffer.alloc(0));
    header.writeUInt32LE(WIRE.answerMaxBytes + 1, 16);
    expect(openAnswerFraming().push(header).disorder).toContain('67108865 bytes');
  });

  test('counts what is missing the end', () => {
    const framing = openAnswerFraming();
    framing.push(message(1, Buffer.alloc(100)).subarray(0, 50));
    expect(framing.waitingBytes).toBe(50);
  });
});

test('no bytes make a parser throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(8), (bytes, count) => {
      const payload = Buffer.from(bytes);
      parseHello(payload, 0n);
      parseValue(payload);
      parseTrueSize(payload);
      parseSample(payload, count);
      parseNodeAnswer(payload);
      parseHeader(payload);
      openAnswerFraming().push(payload);
    }),
  );
});
