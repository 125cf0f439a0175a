import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeapProfile } from '../../../../src/model/heap-profile.js';
import { decodePacked } from '../../../../src/outputs/flame-graph/decode-packed.js';
import { encodePacked } from '../../../../src/outputs/flame-graph/encode-packed.js';
import { packProfile } from '../../../../src/outputs/flame-graph/pack-profile.js';
import { shownText } from '../../../../src/outputs/flame-graph/shown-text.js';
import { anyProfile } from '../../../support/any-profile.js';
import { earlierShopProfile, profileOf, shopProfile } from '../../../support/flame-graph-profiles.js';

const sum = (values: Iterable<number> | undefined) => [...(values ?? [])].reduce((all, value) => all + value, 0);

const pair = fc.tuple(anyProfile, fc.option(anyProfile, { nil: undefined }));

describe('packProfile', () => {
  it('keeps all values of both profiles', () => {
    fc.assert(
      fc.property(pair, ([profile, base]) => {
        const packed = packProfile(profile, base);
        const check = (rows: typeof packed.now | undefined, of: HeapProfile | undefined) => {
          expect(sum(rows?.columns.liveBytes)).toBe(sum(of?.samples.liveBytes));
          expect(sum(rows?.columns.liveObjects)).toBe(sum(of?.samples.liveObjects));
          expect(rows?.columns.allocatedBytes === undefined).toBe(of?.samples.allocatedBytes === undefined);
        };
        check(packed.now, profile);
        check(packed.base, base);
      }),
    );
  });

  it('gives nodes in preorder, with each beginning once', () => {
    fc.assert(
      fc.property(pair, ([profile, base]) => {
        const { forest } = packProfile(profile, base);
        const seen = new Set<string>();
        for (let node = 1; node < forest.count; node++) {
          const parent = forest.parent[node]!;
          expect(parent).toBeLessThan(node);
          expect(forest.end[node]).toBeLessThanOrEqual(forest.end[parent]!);
          expect(forest.end[node]).toBeGreaterThan(node);
          seen.add(`${parent} ${forest.frame[node]}`);
        }
        expect(seen.size).toBe(forest.count - 1);
      }),
    );
  });

  it('puts what both profiles have in one place', () => {
    const alone = packProfile(shopProfile());
    const both = packProfile(shopProfile(), earlierShopProfile());
    // The earlier profile has one stack of its own, which shares all but its five frames.
    expect(both.forest.count).toBe(alone.forest.count + 5);
  });

  it('calls code without symbols by its place in its module, not in memory', () => {
    const at = (start: number) =>
      packProfile({
        ...profileOf([{ stack: 'native:', liveBytes: 1 }]),
        frames: { ...profileOf([{ stack: 'native:', liveBytes: 1 }]).frames, address: Float64Array.of(start + 0x40) },
        modules: [{ path: '/usr/lib/libz.so.1', start, end: start + 0x1000, fileOffset: 0x2000, buildId: undefined }],
      });
    expect(at(0x7000_0000).strings).toContain('libz.so.1+0x2040');
    expect(at(0x9000_0000).strings).toEqual(at(0x7000_0000).strings);
  });
});

describe('decodePacked', () => {
  it('reads what encodePacked wrote', () => {
    fc.assert(
      fc.property(pair, ([profile, base]) => {
        const packed = packProfile(profile, base);
        expect(decodePacked(JSON.parse(JSON.stringify(encodePacked(packed))))).toEqual(packed);
      }),
    );
  });
});

describe('shownText', () => {
  it('takes away what moves or hides other text', () => {
    expect(shownText('a\u202eb\u200f\u0007\u2066c\ud800')).toBe('a\ufffdb\ufffd\ufffd\ufffdc\ufffd');
    expect(shownText('Grüße 漢字 🙂')).toBe('Grüße 漢字 🙂');
  });

  it('keeps the beginning and the end of endless names', () => {
    const shown = shownText(`begin${'🙂'.repeat(5000)}end`);
    expect(shown.length).toBeLessThan(2100);
    expect(shown).toMatch(/^begin.*…🙂.*end$/u);
  });

  it('is whole for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2100 }), (text) => {
        expect(shownText(text)).not.toMatch(/\p{Surrogate}/u);
      }),
      { numRuns: 40 },
    );
  });
});
