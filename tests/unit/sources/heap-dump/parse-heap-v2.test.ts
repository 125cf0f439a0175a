import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Frame, frameAt, type HeapProfile, stackFrames } from '../../../../src/model/heap-profile.js';
import { openHeapV2Parser, parseHeapV2 } from '../../../../src/sources/heap-dump/parse-heap-v2.js';
import { goldenBytes, totalsOf } from '../../../support/golden-profiles.js';

const MAPS = `
MAPPED_LIBRARIES:
00400000-00500000 r--p 00000000 08:01 12 /usr/bin/node
00500000-00600000 r-xp 00100000 08:01 12 /usr/bin/node
7f0000000000-7f0000001000 r-xp 00000000 00:00 0
`;

function dump(stacks: string, rest = MAPS, period = 4096): HeapProfile {
  return parseHeapV2(Buffer.from(`heap_v2/${period}\n  t*: 9: 9 [0: 0]\n  t1: 9: 9 [0: 0] pool one\n${stacks}${rest}`));
}

function framesOf(profile: HeapProfile, sample = 0): Frame[] {
  return Array.from(stackFrames(profile, profile.samples.stack[sample]!), (frame) => frameAt(profile, frame));
}

function threadsOf({ samples, strings }: HeapProfile): [string, number][] {
  return Array.from(samples.thread, (thread, at) => [strings[thread]!, samples.liveBytes[at]!]);
}

test('each stack is divided by the chance that its allocations had', () => {
  const profile = dump('@ 0x500010\n  t*: 10: 1000 [0: 0]\n@ 0x500020\n  t*: 2: 2000000 [0: 0]\n');
  const factor = 1 / (1 - Math.exp(-100 / 4096));
  expect(profile.samples.liveBytes[0]).toBeCloseTo(1000 * factor, 3);
  expect(profile.samples.liveObjects[0]).toBeCloseTo(10 * factor, 6);
  expect(profile.samples.liveBytes[1]).toBeCloseTo(2_000_000, 3);
  expect(Array.from(profile.samples.sampledObjects)).toEqual([10, 2]);
  expect(profile.samples.allocatedBytes).toBeUndefined();
  expect(profile.capture).toMatchObject({ format: 'jemalloc heap_v2', sampleBytes: 4096, program: '/usr/bin/node' });
});

test('the program is the code at the lowest address: Java maps its classes below it, as data', () => {
  const classes = '\nMAPPED_LIBRARIES:\n00100000-00200000 rw-p 00000000 00:00 1 /usr/lib/jvm/classes.jsa\n';
  const { capture } = dump(
    '@ 0x500010\n  t*: 1: 8 [0: 0]\n',
    `${classes}${MAPS.replace(/^\s*MAPPED_LIBRARIES:\n/, '')}`,
  );
  expect(capture.program).toBe('/usr/bin/node');
});

test('what was allocated has a chance of its own', () => {
  const { samples } = dump('@ 0x500010\n  t*: 0: 0 [10: 1000]\n');
  expect(samples.liveBytes[0]).toBe(0);
  expect(samples.allocatedBytes![0]).toBeCloseTo(1000 / (1 - Math.exp(-100 / 4096)), 3);
});

test('the threads of a stack share what the stack has', () => {
  const profile = dump('@ 0x500010\n  t*: 4: 400 [0: 0]\n  t0: 3: 300 [0: 0]\n  t1: 1: 100 [0: 0]\n');
  const all = 400 / (1 - Math.exp(-100 / 4096));
  const shares = threadsOf(profile);
  expect(shares.map(([thread]) => thread)).toEqual(['0', 'pool one']);
  expect(shares[0]![1]).toBeCloseTo(all * 0.75, 3);
  expect(totalsOf(profile).liveBytes).toBeCloseTo(all, 3);
});

test('what no thread has is kept', () => {
  const profile = dump('@ 0x500010\n  t*: 9: 900 [0: 0]\n  t0: 3: 300 [0: 0]\n  t1: 1: 100 [0: 0]\n');
  expect(threadsOf(profile).map(([thread]) => thread)).toEqual(['0', 'pool one', '']);
  expect(totalsOf(profile).liveBytes).toBeCloseTo(900 / (1 - Math.exp(-100 / 4096)), 3);
});

test('an address has the file that was mapped there', () => {
  const frames = framesOf(dump('@ 0x500010 0x7f0000000010 0x900000 0x4fffff\n  t*: 1: 8 [0: 0]\n'));
  expect(frames.map(({ module }) => module)).toEqual(['/usr/bin/node', '', '', '']);
  expect(frames[0]!.address).toBe(0x500010);
});

test('thousands of addresses stay what they are', () => {
  const addresses = Array.from({ length: 5000 }, (_, at) => 0x7f0000000000 + at * 4099);
  const stacks = addresses.map((address) => `@ 0x${address.toString(16)}\n  t*: 1: 8 [0: 0]\n`).join('');
  const twice = dump(stacks + stacks);
  expect(Array.from(twice.frames.address)).toEqual(addresses);
  expect(twice.stacks.count).toBe(5000);
  expect(Array.from(twice.samples.sampledObjects)).toEqual(addresses.map(() => 2));
});

const SECTIONS = `${MAPS}
JEMKIT_CAPTURE 1
pid	77
taken_ms	1700000000000
unwinder	jemkit
node	v24.1.0
jemalloc	5.3.0
samples	90
truncated	3
without_javascript	0
note	One\\tsentence.
JEMKIT_BUILD_IDS
9a1b	/usr/bin/node
JEMKIT_FRAMES
10000000000002	marker	0	0	-1	0	0	-	(asynchronous)	
10000000000015	js	0	0	1033	40	10	10000000000016	inner	file:///srv/a.js
10000000000016	js	50	3	-1	48	1	-		node:fs
JEMKIT_STATISTICS
{"jemalloc":{"arenas":{"page":4096,"bin":[{"size":8,"nregs":512,"slab_size":4096}]},"stats":{"allocated":99},
"stats.arenas":{"merged":{"pactive":4,"small":{},"large":{},"bins":[{"curregs":7,"curslabs":1}]}}}}
`;

test('numbers of a capture become the frames that V8 named, with those they were inlined into', () => {
  const stack = '@ 0x500010 0x10000000000015 0x10000000000002 0x10000000000099\n  t*: 1: 8 [0: 0]\n';
  const profile = dump(stack, `${SECTIONS}JEMKIT_END\n`);
  const [native, inner, outer, marker, unknown] = framesOf(profile);
  expect(native).toMatchObject({ module: '/usr/bin/node', address: 0x500010 });
  expect(inner).toMatchObject({ name: 'inner', kind: 'javascript', position: 1033, inlined: true });
  expect(inner).toMatchObject({ functionLine: 40, functionColumn: 10 });
  expect(outer).toMatchObject({ name: '(anonymous)', kind: 'node-javascript', line: 50, column: 3, inlined: false });
  expect(marker).toMatchObject({ name: '(asynchronous)', kind: 'marker' });
  expect(unknown).toMatchObject({ name: '', kind: 'unknown', address: Number.NaN });
  expect(profile.modules).toMatchObject([{ path: '/usr/bin/node', start: 0x500000, buildId: '9a1b' }]);
  const { statistics, notes, ...facts } = profile.capture;
  expect(facts).toMatchObject({ pid: 77, takenAtMs: 1_700_000_000_000, unwinder: 'jemkit', nodeVersion: 'v24.1.0' });
  expect(facts.sizeClasses).toEqual([
    { sizeBytes: 8, slabBytes: 4096, regionsPerSlab: 512, regionsInUse: 7, slabs: 1 },
  ]);
  expect(statistics).toMatchObject({ 'stats.allocated': 99, 'arenas.page': 4096, 'stats.arenas.4096.pactive': 4 });
  expect(notes).toEqual([
    'One\tsentence.',
    '3 of 90 samples have a stack without its bottom: the walk ended early.',
    'The capture has no name for one of its JavaScript frames.',
  ]);
});

test('frames that are inlined into each other in a circle come to an end', () => {
  const circle = SECTIONS.replace('48\t1\t-', '48\t1\t10000000000015');
  expect(framesOf(dump('@ 0x10000000000015\n  t*: 1: 8 [0: 0]\n', circle)).length).toBeLessThan(100);
});

test.each([
  ['no end', SECTIONS, /capture is incomplete/],
  ['no mapped files', '', /no list of mapped files/],
  ['half a line of the mapped files', '\nMAPPED_LIBRARIES:\n0040', /list of mapped files ends/],
])('%s is said', (_, rest, note) => {
  expect(dump('@ 0x500010\n  t*: 1: 8 [0: 0]\n', rest).capture.notes.join(' ')).toMatch(note);
});

test.each([
  ['a stack without counts', 'heap_v2/1\n  t*: 1: 1 [0: 0]\n@ 0x1\n', /line 3: the dump is cut off/],
  ['half an address', 'heap_v2/1\n  t*: 1: 1 [0: 0]\n@ 0x1 0x7f', /line 3: the dump is cut off/],
  ['half of the counts', 'heap_v2/1\n  t*: 1: 1 [0: 0]\n@ 0x1\n  t*: 1: 1', /line 4: the dump is cut off/],
  ['a header alone', 'heap_v2/1\n', /cut off/],
  ['something else', 'heap_v2/1\n  t*: 1: 1 [0: 0]\n@ 0x1\n  t*: 1: x [0: 0]\n', /line 4: .*received " {2}t\*: 1: x/],
  ['a count that is too large', 'heap_v2/1\n  t*: 99999999999999999999: 1 [0: 0]\n', /from 0 to 2\^53/],
  ['a broken address', 'heap_v2/1\n  t*: 1: 1 [0: 0]\n@ 0x1 zz\n', /received "zz", expected addresses/],
  ['another header', 'heap_v3/1\n', /this is no dump of jemalloc/],
  ['a later capture', `heap_v2/1\n  t*: 1: 1 [0: 0]\n${MAPS}JEMKIT_CAPTURE 2\n`, /another version of jemkit/],
])('%s is refused', (_, text, message) => {
  expect(() => parseHeapV2(Buffer.from(text))).toThrow(message);
});

test('the pieces in which a file comes do not matter', () => {
  const bytes = goldenBytes('jemkit/1/node.heap');
  const whole = parseHeapV2(bytes);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 30 }), (lengths) => {
      const parser = openHeapV2Parser();
      for (let at = 0, piece = 0; at < bytes.length; piece++) {
        const length = lengths[piece % lengths.length]!;
        // A reader may use its buffer again.
        const copy = Buffer.from(bytes.subarray(at, at + length));
        parser.push(copy);
        copy.fill(0);
        at += length;
      }
      expect(parser.end()).toEqual(whole);
    }),
    { numRuns: 15 },
  );
});
