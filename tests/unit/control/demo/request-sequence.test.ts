import { describe, expect, it } from 'vitest';
import { openRequestSequence } from '../../../../src/control/demo/request-sequence.js';

const take = (seed: number, count: number) => {
  const next = openRequestSequence(seed);
  return Array.from({ length: count }, next);
};

describe('openRequestSequence', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(take(1, 200)).toEqual(take(1, 200));
    expect(take(1, 20)).not.toEqual(take(2, 20));
  });

  it('asks for what the server has, in about the shares it promises', () => {
    const all = take(1, 2000);
    const share = (pattern: RegExp) => all.filter(({ path }) => pattern.test(path)).length / all.length;
    expect(share(/^\/picture\/(\d|1\d|2[0-3])\?width=\d+$/)).toBeCloseTo(0.35, 1);
    expect(share(/^\/feed\/[1-3]?\d?\d\?items=\d+$/)).toBeCloseTo(0.45, 1);
    expect(share(/^\/notes$/)).toBeCloseTo(0.2, 1);
    for (const { method, path, body } of all) {
      expect(method).toBe(path === '/notes' ? 'POST' : 'GET');
      if (body !== undefined) {
        expect(JSON.parse(body)).toHaveProperty('words');
        expect(body.length).toBeLessThan(1 << 20);
      }
    }
  });
});
