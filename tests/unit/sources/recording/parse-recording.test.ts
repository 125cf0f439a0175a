import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEvent, encodeHead, openSampleEncoder } from '../../../../src/control/recording/encode-recording.js';
import type { MemorySample } from '../../../../src/model/memory-sample.js';
import type { RecordingEvent } from '../../../../src/model/recording.js';
import { parseRecording } from '../../../../src/sources/recording/parse-recording.js';
import { checksum, unzigzag, zigzag } from '../../../../src/sources/recording/record-bytes.js';
import { anySamples, figuresOf, HEAD, sampleAt } from '../../../support/samples.js';

const END: RecordingEvent = { kind: 'end', atMs: HEAD.startedAtMs + 9000, reason: 'stopped', exitCode: undefined };

function write(samples: readonly MemorySample[], events: readonly RecordingEvent[] = []): Uint8Array {
  const encode = openSampleEncoder(HEAD);
  return Buffer.concat([encodeHead(HEAD), ...samples.map((sample) => encode(sample)), ...events.map(encodeEvent)]);
}

function read(bytes: Uint8Array) {
  const samples: MemorySample[] = [];
  return { recording: parseRecording(bytes, (sample) => samples.push(sample)), samples };
}

const SAMPLES = [0, 1, 2, 3].map((second) =>
  sampleAt(second, 50_000_000 + second * 4096, {
    jemalloc: second < 2 ? undefined : figuresOf({ allocatedBytes: 1_000_001 + second, activeBytes: 2_097_152 }),
  }),
);

describe('a recording', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(anySamples, (written) => {
        const { recording, samples } = read(write(written, [END]));
        expect(samples).toEqual(written);
        expect(recording).toEqual({
          head: HEAD,
          events: [END],
          samples: written.length,
          completeness: { kind: 'whole', reason: 'stopped' },
        });
      }),
    );
  });

  it('keeps events, in order', () => {
    const events: RecordingEvent[] = [
      { kind: 'agent', atMs: 1, jemallocVersion: '5.3.0' },
      { kind: 'agent-lost', atMs: 2 },
      { kind: 'exec', atMs: 3, command: 'node "ä\n' },
      { kind: 'end', atMs: 4, reason: 'target-ended', exitCode: 3 },
    ];
    expect(read(write(SAMPLES, events)).recording).toMatchObject({ events });
  });

  it('calculates what is derived: jemalloc’s sums and pages in bytes', () => {
    const jemalloc = figuresOf({ allocatedBytes: 100, activeBytes: 300, dirtyPages: 3 });
    const { samples } = read(write([sampleAt(0, 1, { jemalloc })]));
    expect(samples[0]?.jemalloc).toMatchObject({ unusedActiveBytes: 200, dirtyBytes: 12288 });
    expect(samples[0]?.jemalloc?.epoch).toBeUndefined();
  });

  it('without an end says that its recorder was ended or is at work', () => {
    expect(read(write(SAMPLES)).recording).toMatchObject({ samples: 4, completeness: { kind: 'open' } });
  });

  it('cut at any byte opens up to the last whole record, and says so', () => {
    const whole = write(SAMPLES, [END]);
    const headBytes = encodeHead(HEAD).length;
    for (let length = 0; length < whole.length; length++) {
      const { recording, samples } = read(whole.subarray(0, length));
      if (length < headBytes) {
        expect(recording).toMatchObject({ kind: 'not-a-recording' });
        continue;
      }
      expect(samples).toEqual(SAMPLES.slice(0, samples.length));
      if (!('completeness' in recording)) throw new Error('refused');
      const { completeness } = recording;
      if (completeness.kind === 'cut') expect(completeness.atByte + completeness.lostBytes).toBe(length);
      else expect(completeness).toEqual({ kind: 'open' });
    }
  });

  it('with any bytes behind it opens up to them', () => {
    const whole = write(SAMPLES);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (garbage) => {
        const { recording, samples } = read(Buffer.concat([whole, garbage]));
        expect(samples.slice(0, 4)).toEqual(SAMPLES);
        expect(recording).toHaveProperty('head', HEAD);
      }),
    );
    expect(read(Buffer.concat([whole, new Uint8Array(4096)])).recording).toMatchObject({
      samples: 4,
      completeness: { kind: 'cut', atByte: whole.length, lostBytes: 4096 },
    });
  });

  it('with a byte changed gives only samples that were written', () => {
    const whole = write(SAMPLES);
    const headBytes = encodeHead(HEAD).length;
    fc.assert(
      fc.property(
        fc.integer({ min: headBytes, max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const changed = Uint8Array.from(whole);
          changed[at] = (changed[at] as number) ^ flip;
          const { samples } = read(changed);
          expect(samples).toEqual(SAMPLES.slice(0, samples.length));
          expect(samples.length).toBeLessThan(SAMPLES.length);
        },
      ),
    );
  });
});

describe('what is no recording', () => {
  it.each([
    ['nothing', '', 'it is empty'],
    ['a text', 'hello world', 'does not begin as a recording'],
    ['a head alone', 'JEMREC\u0001\n', 'its head is not whole'],
    ['a damaged head', 'JEMREC\u0001\nxxxxxxxxxxxxxxxx', 'its head is not whole'],
  ])('%s is said to be none', (_name, text, detail) => {
    expect(read(Buffer.from(text)).recording).toEqual({
      kind: 'not-a-recording',
      detail: expect.stringContaining(detail),
    });
  });

  it('of a later version names both', () => {
    expect(read(Buffer.from('JEMREC\u0009\n')).recording).toEqual({ kind: 'newer-format', version: 9, known: 1 });
  });

  it('any bytes are taken without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, withHead) => {
        const { recording } = read(withHead ? Buffer.concat([encodeHead(HEAD), bytes]) : bytes);
        expect(recording).toBeTypeOf('object');
      }),
      { numRuns: 500 },
    );
  });
});

describe('a recording of another version', () => {
  /** Takes the place of the head: columns in another order, one that is unknown, and most missing. */
  it('is read by the names of its columns', () => {
    const encode = openSampleEncoder(HEAD);
    const [head = new Uint8Array()] = [encodeHead(HEAD)];
    const text = Buffer.from(head).toString('latin1');
    const renamed = text.replace('"process.residentBytes"', '"process.futureThingsX"').replace('"host":{', '"more":{');
    const body = Buffer.from(renamed, 'latin1').subarray(0, -2);
    const record = body.subarray(8);
    const crc = checksum(record, 0, record.length);
    const { samples, recording } = read(
      Buffer.concat([
        body,
        Uint8Array.of(crc & 0xff, crc >> 8),
        encode(sampleAt(0, 4096, { process: { residentBytes: 1, threads: 7 } })),
      ]),
    );
    expect(recording).toMatchObject({ head: { pid: 4711, host: {} }, samples: 1 });
    expect(samples[0]?.process).toEqual({ residentBytes: undefined, threads: 7 });
  });
});

it('zigzag goes there and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), (value) => {
      expect(unzigzag(zigzag(value))).toBe(value);
      expect(zigzag(value)).toBeGreaterThanOrEqual(0);
    }),
  );
});
