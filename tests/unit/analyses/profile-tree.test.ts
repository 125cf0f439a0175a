import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyseProfileTree } from '../../../src/analyses/profile-tree.js';
import type { ProfileNode } from '../../../src/model/profile-report.js';
import { profileOf, profiles } from '../../support/heap-profiles.js';

interface Brief {
  readonly [name: string]: readonly [bytes: number, self: number, children: Brief];
}

const brief = (nodes: readonly ProfileNode[]): Brief =>
  Object.fromEntries(
    nodes.map(({ name, bytes, selfBytes, children }) => [name, [bytes, selfBytes, brief(children)] as const]),
  );

describe('analyseProfileTree', () => {
  const profile = profileOf([
    { frames: ['malloc', 'a', 'main'], bytes: 30 },
    { frames: ['malloc', 'b', 'main'], bytes: 10 },
    { frames: ['a', 'main'], bytes: 2 },
  ]);

  test('top-down', () => {
    expect(brief(analyseProfileTree(profile).root.children)).toEqual({
      main: [42, 0, { a: [32, 2, { malloc: [30, 30, {}] }], b: [10, 0, { malloc: [10, 10, {}] }] }],
    });
  });

  test('bottom-up', () => {
    const { root } = analyseProfileTree(profile, { direction: 'up' });
    expect(root.children.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['malloc', 40],
      ['a', 2],
    ]);
    expect(brief(root.children)['malloc']?.[2]).toEqual({
      a: [30, 0, { main: [30, 30, {}] }],
      b: [10, 0, { main: [10, 10, {}] }],
    });
  });

  test('each node has what is its own, what its children have, and what was left out', () => {
    const directions = fc.constantFrom('down' as const, 'up' as const);
    fc.assert(
      fc.property(profiles, directions, fc.constantFrom(0, 0.005, 0.2), (any, direction, leastShare) => {
        const check = (node: ProfileNode) => {
          expect(node.bytes).toBe(
            node.children.reduce((sum, child) => sum + child.bytes, node.selfBytes + node.leftOut.bytes),
          );
          expect(node.objects).toBe(
            node.children.reduce((sum, child) => sum + child.objects, node.selfObjects + node.leftOut.objects),
          );
          if (leastShare === 0) expect(node.leftOut.children).toBe(0);
          node.children.forEach(check);
        };
        const { root } = analyseProfileTree(any, { direction, leastShare });
        check(root);
        expect(root.bytes).toBe(any.samples.liveBytes.reduce((sum, bytes) => sum + bytes, 0));
      }),
    );
  });
});
