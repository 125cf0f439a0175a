import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText, renderTable, textWidth } from '../../../../src/outputs/text/table.js';

test('columns are aligned, two spaces apart, and no line ends in spaces', () => {
  const text = renderTable(
    [
      ['1', 'root', 'a'],
      ['4711', 'x', ''],
    ],
    { header: ['PID', 'USER', 'C'], align: ['right'] },
  );
  expect(text).toBe(' PID  USER  C\n   1  root  a\n4711  x');
});

test('wide characters count as two columns, combining ones as none', () => {
  expect(textWidth('日本')).toBe(4);
  expect(textWidth('e\u0301')).toBe(1);
  expect(textWidth('🦊')).toBe(2);
  expect(
    renderTable([
      ['日本', 'x'],
      ['abcd', 'y'],
    ]),
  ).toBe('日本  x\nabcd  y');
});

test('a line is cut to the width of the terminal, never in the middle of a character', () => {
  expect(renderTable([['abc', 'defgh']], { maxWidth: 8 })).toBe('abc  de…');
  expect(cutText('日本語', 4)).toBe('日…');
  expect(cutText('abc', 3)).toBe('abc');
  expect(cutText('abc', 0)).toBe('');
});

test('control characters of a foreign name cannot forge lines', () => {
  expect(renderTable([['a\n1 root fake', '\u001b[2J']])).toBe('a?1 root fake  ?[2J');
});

test('the style of the header does not count as width', () => {
  expect(renderTable([['aa']], { header: ['H'], styleHeader: (line) => `<${line}>` })).toBe('<H>\naa');
});

describe('for any content', () => {
  const rows = fc.array(fc.array(fc.string(), { maxLength: 4 }), { minLength: 1, maxLength: 5 });

  test('there are as many lines as rows, and none is wider than allowed', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 40 }), (content, maxWidth) => {
        const lines = renderTable(content, { maxWidth }).split('\n');
        expect(lines).toHaveLength(content.length);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(maxWidth);
      }),
    );
  });
});
