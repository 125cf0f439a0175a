import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readableSource, scriptPath } from '../../../../src/sources/symbols/script-path.js';
import { isTextThatRan, parseScriptText } from '../../../../src/sources/symbols/script-text.js';
import { parseSourceMap, readSourceMap, sourceMapUrl } from '../../../../src/sources/symbols/source-map.js';

const MAP = { version: 3, sources: ['../src/a.ts'], names: ['load'], mappings: 'AAEAA,IACI' };
const none = () => ({ code: 'ENOENT' });

describe('scriptPath', () => {
  test.each([
    ['/app/a.js', '/app/a.js'],
    ['file:///app/a%20b.mjs?v=1', '/app/a b.mjs'],
    ['node:fs', undefined],
    ['evalmachine.<anonymous>', undefined],
    ['file:///%zz', undefined],
  ])('%s', (script, expected) => expect(scriptPath(script)).toBe(expected));

  test.each([
    ['webpack://shop/./src/a.ts?1f2e', 'src/a.ts'],
    ['webpack:///./src/a.ts', 'src/a.ts'],
    ['/app/src/a.ts', '/app/src/a.ts'],
    ['file:///app/src/a.ts', '/app/src/a.ts'],
  ])('%s is readable', (source, expected) => expect(readableSource(source)).toBe(expected));
});

describe('parseScriptText', () => {
  test('counts positions as V8 does: without the mark, line ends of ECMAScript', () => {
    const script = parseScriptText('\ufeffab\r\ncd\u2028ef\n');
    expect([0, 4, 7, 10].map((at) => script.placeAt(at))).toEqual([
      { line: 1, column: 1 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
      { line: 4, column: 1 },
    ]);
    expect(script.placeAt(11)).toBeUndefined();
    expect(script.lineAt(2)).toBe('cd');
  });

  test('every position is on the line that it is on', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é') }), (text) => {
        const script = parseScriptText(text);
        for (let at = 0; at < text.length; at++) {
          const place = script.placeAt(at);
          if (!/[\r\n]/.test(text[at]!)) expect(script.lineAt(place!.line)[place!.column - 1]).toBe(text[at]);
        }
      }),
    );
  });

  test('another text than the one that ran is told by its functions', () => {
    const script = parseScriptText('function load() {\n  return alloc();\n}\n');
    const told = { name: 'load', functionLine: 1, functionColumn: 14, position: 27 };
    expect(isTextThatRan(script, [told])).toBe(true);
    expect(isTextThatRan(script, [{ ...told, functionColumn: 0 }])).toBe(true);
    expect(isTextThatRan(script, [{ ...told, position: 900 }])).toBe(false);
    expect(isTextThatRan(script, [{ ...told, functionLine: 3 }])).toBe(false);
    expect(isTextThatRan(script, [{ ...told, name: 'other' }])).toBe(false);
  });
});

describe('source maps', () => {
  test('beside the script', () => {
    const reading = readSourceMap('/app/dist/a.js', 'x\n//# sourceMappingURL=a.js.map\n', (path) =>
      path === '/app/dist/a.js.map' ? { text: JSON.stringify(MAP) } : { code: 'ENOENT' },
    );
    expect(reading.kind === 'map' && reading.map.find(1, 6)).toEqual({
      source: '/app/src/a.ts',
      line: 4,
      column: 5,
      name: undefined,
    });
    expect(reading.kind === 'map' && reading.map.find(1, 1)?.name).toBe('load');
    expect(reading.kind === 'map' && reading.map.findExactly(1, 5)?.line).toBe(4);
    expect(reading.kind === 'map' && reading.map.findExactly(1, 6)).toBeUndefined();
  });

  test('inside the script, and in sections', () => {
    const sections = { version: 3, sections: [{ offset: { line: 1, column: 0 }, map: MAP }] };
    const url = `data:application/json;base64,${Buffer.from(JSON.stringify(sections)).toString('base64')}`;
    const reading = readSourceMap('/app/dist/a.js', `x\ny\n//# sourceMappingURL=${url}`, none);
    expect(reading.kind === 'map' && reading.map.find(2, 6)?.source).toBe('/app/src/a.ts');
  });

  test('the last comment counts, and none in the middle of a script', () => {
    expect(sourceMapUrl('//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map')).toBe('b.map');
    expect(sourceMapUrl(`//# sourceMappingURL=a.map\n${'x'.repeat(5000)}`)).toBeUndefined();
    expect(sourceMapUrl('x')).toBeUndefined();
  });

  test('what cannot be used says why', () => {
    expect(parseSourceMap('{', '/a.map').kind).toBe('broken');
    expect(parseSourceMap('null', '/a.map').kind).toBe('broken');
    expect(readSourceMap('/a.js', '//# sourceMappingURL=a.map', none)).toEqual({
      kind: 'broken',
      reason: '/a.map cannot be read (ENOENT)',
    });
    expect(readSourceMap('/a.js', '//# sourceMappingURL=https://x.test/a.map', none).kind).toBe('broken');
  });

  test('any text is a map, or broken', () => {
    const part = fc.oneof(
      fc.string(),
      fc.json(),
      fc.string().map((mappings) => JSON.stringify({ ...MAP, mappings })),
    );
    fc.assert(
      fc.property(part, (text) => {
        const reading = parseSourceMap(text, '/a.map');
        if (reading.kind === 'map') reading.map.find(1, 1);
      }),
    );
  });
});
