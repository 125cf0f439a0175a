import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  encodeKnownSymbols,
  openSymbolCache,
  parseKnownSymbols,
} from '../../../../src/sources/symbols/symbol-cache.js';

const BUILD = 'aabbccdd';
const LINE = { name: '_Z4loadv', file: '/src/a.cc', line: 3, column: 0 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-symbol-cache-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});
const symbols = () => join(folder, 'symbols');
const fileOf = (buildId: string) => join(symbols(), `${buildId}.json`);

function keep(buildId: string, origin = 'one', name = 'load'): void {
  const cache = openSymbolCache(folder);
  cache.find(buildId, origin).names.set(4096, name);
  cache.find(buildId, origin).lines.set(4096, [LINE]);
  cache.save();
}
const nameIn = (buildId: string, origin = 'one') => openSymbolCache(folder).find(buildId, origin).names.get(4096);

describe('openSymbolCache', () => {
  test('keeps names and lines of a build, for this user alone', () => {
    keep(BUILD);
    const known = openSymbolCache(folder).find(BUILD, 'one');
    expect([...known.names, ...known.lines]).toEqual([
      [4096, 'load'],
      [4096, [LINE]],
    ]);
    expect(statSync(symbols()).mode & 0o777).toBe(0o700);
    expect(statSync(fileOf(BUILD)).mode & 0o777).toBe(0o600);
    expect(readdirSync(symbols())).toEqual([`${BUILD}.json`]);
  });

  test('another file with the same build id is not believed', () => {
    keep(BUILD);
    expect(nameIn(BUILD, 'two')).toBeUndefined();
  });

  test('what is known already is not written again', () => {
    keep(BUILD);
    utimesSync(fileOf(BUILD), 1, 1);
    const cache = openSymbolCache(folder);
    cache.find(BUILD, 'one').names.set(4096, 'load');
    cache.save();
    expect(statSync(fileOf(BUILD)).mtimeMs).toBe(1000);
  });

  test('a damaged file is looked up anew, and replaced', () => {
    keep(BUILD);
    writeFileSync(fileOf(BUILD), readFileSync(fileOf(BUILD)).subarray(0, 20));
    expect(nameIn(BUILD)).toBeUndefined();
    keep(BUILD);
    expect(nameIn(BUILD)).toBe('load');
  });

  test('files and folders that others may write to, and links, are left alone', () => {
    keep(BUILD);
    chmodSync(fileOf(BUILD), 0o620);
    expect(nameIn(BUILD)).toBeUndefined();
    chmodSync(fileOf(BUILD), 0o600);
    chmodSync(symbols(), 0o770);
    expect(nameIn(BUILD)).toBeUndefined();
    keep('1234');
    expect(existsSync(fileOf('1234'))).toBe(false);
    chmodSync(symbols(), 0o700);
    expect(nameIn(BUILD)).toBe('load');
    symlinkSync(fileOf(BUILD), fileOf('1234'));
    expect(nameIn('1234')).toBeUndefined();
    keep('1234', 'one', 'other');
    expect([nameIn(BUILD), nameIn('1234')]).toEqual(['load', 'other']);
  });

  test('a folder that is a link leads nowhere', () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, symbols());
    keep(BUILD);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('a build id that is none names no file', () => {
    keep('../../aabb');
    expect(existsSync(symbols())).toBe(false);
  });

  test('the builds that were looked up longest ago go first', () => {
    keep(BUILD);
    const text = readFileSync(fileOf(BUILD));
    for (let at = 0; at < 1005; at++) {
      const path = fileOf((0x1000 + at).toString(16));
      writeFileSync(path, text, { mode: 0o600 });
      utimesSync(path, 1000 + at, 1000 + at);
    }
    keep('ffffffff');
    expect(readdirSync(symbols())).toHaveLength(1000);
    expect([nameIn('1000'), nameIn('13ec'), nameIn(BUILD)]).toEqual([undefined, 'load', 'load']);
  });

  test('a folder that cannot be made costs nothing but the next look', () => {
    writeFileSync(join(folder, 'file'), '');
    const cache = openSymbolCache(join(folder, 'file'));
    cache.find(BUILD, 'one').names.set(1, 'a');
    cache.save();
    expect(cache.find(BUILD, 'one').names.get(1)).toBe('a');
  });
});

test('any text is a cache or nothing', () => {
  const known = { names: new Map([[1, 'a']]), lines: new Map([[1, [LINE]]]) };
  const whole = encodeKnownSymbols(known, 'one');
  expect(parseKnownSymbols(whole, 'one')).toEqual(known);
  const damaged = fc.oneof(
    fc.json(),
    fc.nat(whole.length).map((length) => whole.slice(0, length)),
    fc
      .record({ version: fc.constant(1), origin: fc.constant('one'), names: fc.jsonValue(), lines: fc.jsonValue() })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(damaged, (text) => {
      const { names, lines } = parseKnownSymbols(text, 'one');
      for (const [address, name] of names) expect([typeof address, typeof name]).toEqual(['number', 'string']);
      for (const [, rows] of lines) for (const { line } of rows) expect(typeof line).toBe('number');
    }),
  );
});
