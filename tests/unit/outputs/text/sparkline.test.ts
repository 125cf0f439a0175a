import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderSparkline } from '../../../../src/outputs/text/sparkline.js';
import { textWidth } from '../../../../src/outputs/text/table.js';

test('from the lowest to the highest of the values shown, the newest at the right', () => {
  expect(renderSparkline([1, 2, 3, 4, 5, 6, 7, 8], 8, true)).toBe('▁▂▃▄▅▆▇█');
  expect(renderSparkline([99, 0, 7], 2, false)).toBe('_@');
  expect(renderSparkline([5], 4, true)).toBe('   ▁');
});

test('a change of less than 2 % is no mountain', () => {
  expect(renderSparkline([1000, 1001, 1000, 1001], 4, true)).toBe('▁▁▁▁');
});

test('for any values it has its width', () => {
  fc.assert(
    fc.property(fc.array(fc.double()), fc.integer({ min: 0, max: 40 }), fc.boolean(), (values, width, unicode) => {
      const text = renderSparkline(values, width, unicode);
      expect(textWidth(text)).toBe(width);
      expect(text).not.toContain('?');
    }),
  );
});
