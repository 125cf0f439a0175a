import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findMarkedBlock, putMarkedBlock, takeMarkedBlock } from '../../../src/model/marked-block.js';

const ordinary = fc.string({ unit: 'binary' }).filter((text) => findMarkedBlock(text).kind === 'none');

describe('a marked block', () => {
  test('comes out again without a trace', () => {
    fc.assert(
      fc.property(ordinary, fc.stringMatching(/^[a-z\n]*$/), (text, content) => {
        const written = putMarkedBlock(text, content);
        expect(written).toBeDefined();
        expect(takeMarkedBlock(written!)).toBe(text);
      }),
    );
  });

  test('is written once, whatever follows it', () => {
    fc.assert(
      fc.property(ordinary, ordinary, (before, after) => {
        const once = putMarkedBlock(before, 'one')! + after;
        if (findMarkedBlock(once).kind !== 'found') return;
        const twice = putMarkedBlock(once, 'two')!;
        expect(takeMarkedBlock(twice)).toBe(takeMarkedBlock(once));
        expect(putMarkedBlock(twice, 'two')).toBe(twice);
      }),
    );
  });

  test.each([
    ['a begin without an end', 'x\n# >>> jemkit >>>\ny\n', 2],
    ['an end without a begin', 'x\n# <<< jemkit <<<\n', 2],
    ['a begin twice', '# >>> jemkit >>>\n# >>> jemkit >>>\n# <<< jemkit <<<\n', 2],
    ['two blocks', '# >>> jemkit >>>\n# <<< jemkit <<<\n# >>> jemkit >>>\n# <<< jemkit <<<\n', 3],
  ])('%s is damage, and nothing is changed', (_what, text, line) => {
    expect(findMarkedBlock(text)).toEqual({ kind: 'damaged', line });
    expect(putMarkedBlock(text, 'z')).toBeUndefined();
    expect(takeMarkedBlock(text)).toBeUndefined();
  });
});
