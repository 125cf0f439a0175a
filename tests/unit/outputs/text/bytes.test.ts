import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../../../src/outputs/text/bytes.js';

describe('formatBytes', () => {
  it('gives three significant digits and the unit', () => {
    expect(formatBytes(0)).toBe('0 B');
    expect(formatBytes(1023)).toBe('1023 B');
    expect(formatBytes(1024)).toBe('1.00 KiB');
    expect(formatBytes(1536)).toBe('1.50 KiB');
    expect(formatBytes(224 * 2 ** 20)).toBe('224 MiB');
    expect(formatBytes(23.53 * 2 ** 30)).toBe('23.5 GiB');
    expect(formatBytes(-2048)).toBe('-2.00 KiB');
  });

  it('does not round up to 1024 of a unit', () => {
    expect(formatBytes(1023.6 * 1024)).toBe('1.00 MiB');
    expect(formatBytes(1023.4 * 1024)).toBe('1023 KiB');
  });

  it('keeps the unit that is asked for', () => {
    expect(formatBytes(3 * 2 ** 30, 'MiB')).toBe('3072 MiB');
    expect(formatBytes(100, 'MiB')).toBe('0.00 MiB');
  });

  it('shows what was not measured as unknown', () => {
    expect(formatBytes(undefined)).toBe('-');
    expect(formatBytes(Number.NaN)).toBe('-');
  });

  it('never throws and always carries a unit', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (bytes) => {
        expect(formatBytes(bytes)).toMatch(/^-?[\d.e+]+ ([KMGTP]i)?B$/);
      }),
    );
  });
});
