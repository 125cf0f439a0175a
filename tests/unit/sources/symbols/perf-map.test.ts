import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePerfMap, parsePerfMapName } from '../../../../src/sources/symbols/perf-map.js';
import { readPerfMap } from '../../../../src/sources/symbols/read-perf-map.js';

describe('parsePerfMapName', () => {
  test.each([
    [
      'JS:*load file:///app/a.mjs:12:3',
      { name: 'load', file: 'file:///app/a.mjs', functionLine: 12, functionColumn: 3, kind: 'javascript' },
    ],
    [
      'LazyCompile:~load /app/a.js:12',
      { name: 'load', file: '/app/a.js', functionLine: 12, functionColumn: 0, kind: 'javascript' },
    ],
    [
      'JS:^emit node:events:465:44',
      { name: 'emit', file: 'node:events', functionLine: 465, functionColumn: 44, kind: 'node-javascript' },
    ],
    [
      'JS:~ /app/a.js:1:1',
      { name: '(anonymous)', file: '/app/a.js', functionLine: 1, functionColumn: 1, kind: 'javascript' },
    ],
    ['Builtin:ArrayMap', { name: 'Builtin:ArrayMap', kind: 'v8' }],
    ['py::load:/app/a.py', { name: 'load', file: '/app/a.py', kind: 'interpreted' }],
    ['java.lang.String Main.load(int)', { name: 'java.lang.String Main.load(int)', kind: 'interpreted' }],
    ['[JIT] Integer#times', { name: '[JIT] Integer#times', kind: 'interpreted' }],
  ])('%s', (text, expected) => {
    expect(parsePerfMapName(text)).toEqual(expected);
  });
});

describe('parsePerfMap', () => {
  test('the last entry wins; a line that is being written is no entry', () => {
    const map = parsePerfMap(
      '1000 100 py::old:/a.py\n1080 100 py::new:/b.py\n0x2000 0x10 Interpreter\n3000 10 py::half',
    );
    expect([0xfff, 0x1000, 0x1080, 0x10ff, 0x117f, 0x1180, 0x2000, 0x3000].map((at) => map.find(at)?.name)).toEqual([
      undefined,
      'old',
      'new',
      'new',
      'new',
      undefined,
      'Interpreter',
      undefined,
    ]);
  });

  test('finds what a search through all lines finds', () => {
    const entry = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 30 }));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), fc.nat(100), (entries, at) => {
        const text = entries.map(([start, bytes], i) => `${start.toString(16)} ${bytes.toString(16)} f${i}\n`).join('');
        const expected = entries.findLastIndex(([start, bytes]) => at >= start && at < start + bytes);
        expect(parsePerfMap(text).find(at)?.name).toBe(expected < 0 ? undefined : `f${expected}`);
      }),
    );
  });

  test('any text is read', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePerfMap(text).find(0x1000)));
  });
});

describe('readPerfMap', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'jemkit-perf-'));
    writeFileSync(join(folder, 'real.map'), '1000 10 load\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('takes a map that was named, whosever it is', () => {
    const reading = readPerfMap({ pid: undefined, path: join(folder, 'real.map'), owners: [] });
    expect(reading.kind === 'map' && reading.map.find(0x1000)?.name).toBe('load');
  });

  test("refuses another user's, and a link, under the name that anybody may take", () => {
    const root = mkdtempSync(join(folder, 'root-'));
    const pid = 4_194_305;
    const path = join(root, `tmp/perf-${pid}.map`);
    expect(readPerfMap({ pid, root }).kind).toBe('none');
    mkdirSync(join(root, 'tmp'));
    writeFileSync(path, '1000 10 load\n');
    expect(readPerfMap({ pid, root }).kind).toBe('map');
    expect(readPerfMap({ pid, root, owners: [] })).toMatchObject({
      kind: 'refused',
      path,
      reason: expect.stringContaining(`it belongs to user ${process.getuid?.()}`),
    });
  });

  test('does not follow a link under that name', () => {
    const pid = 4_194_306;
    const path = `/tmp/perf-${pid}.map`;
    symlinkSync(join(folder, 'real.map'), path);
    try {
      expect(readPerfMap({ pid })).toMatchObject({ kind: 'refused', reason: 'it cannot be read (ELOOP)' });
    } finally {
      rmSync(path);
    }
  });
});
