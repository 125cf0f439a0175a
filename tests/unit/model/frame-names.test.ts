import { describe, expect, test } from 'vitest';
import { callPlace, frameName, framePlace, packageOf, readablePath } from '../../../src/model/frame-names.js';
import { type Frame, frameAt } from '../../../src/model/heap-profile.js';
import type { FrameInput } from '../../../src/model/heap-profile-builder.js';
import { profileOf } from '../../support/heap-profiles.js';

const frameOf = (frame: FrameInput): Frame => frameAt(profileOf([{ frames: [frame], bytes: 1 }]), 0);

describe('packageOf', () => {
  test.each([
    ['/app/node_modules/fastify/lib/route.js', 'fastify'],
    ['file:///app/node_modules/@scope/name/index.js', '@scope/name'],
    ['/app/node_modules/a/node_modules/b/index.js', 'b'],
    ['/app/node_modules/.pnpm/a@1.0.0_b@2.0.0/node_modules/a/index.js', 'a'],
    ['/app/node_modules/.pnpm/@s+a@1.0.0/node_modules/@s/a/x/y.js', '@s/a'],
    ['/app/server.js', '(application)'],
    ['/app/my_node_modules_copy/server.js', '(application)'],
    ['webpack://app/./src/server.ts', '(application)'],
    ['node:internal/streams', 'node'],
    ['', '(application)'],
  ])('JavaScript of %j is of %s', (file, name) => {
    expect(packageOf(frameOf({ file, kind: 'javascript' }))).toBe(name);
  });

  test.each([
    ['/app/node_modules/@img/sharp-linux-x64/lib/sharp.node', 'native', '@img/sharp-linux-x64'],
    ['/usr/lib/libz.so.1', 'native', 'libz.so.1'],
    ['/usr/bin/node', 'node', 'node'],
    ['/usr/bin/node', 'v8', 'node'],
    ['/app/node_modules/node22/bin/node', 'node', 'node'],
    ['/app/node_modules/node22/bin/node', 'unknown', 'node'],
    ['/lib/libc.so.6', 'libc', 'libc.so.6'],
    ['', 'unknown', '(unknown)'],
  ] as const)('native code of %j (%s) is of %s', (module, kind, name) => {
    expect(packageOf(frameOf({ module, kind }))).toBe(name);
  });

  test('markers stand for themselves', () => {
    expect(packageOf(frameOf({ name: '(thread pool)', kind: 'marker' }))).toBe('(thread pool)');
  });
});

describe('names and places', () => {
  const modules = [{ path: '/lib/libz.so.1', start: 0x1000, end: 0x2000, fileOffset: 0x400, buildId: undefined }];

  test.each([
    [{ name: 'f', address: 0x1004 }, 'f'],
    [{ address: 0x1004 }, 'libz.so.1+0x404'],
    [{ address: 0x2000 }, '0x2000'],
    [{ address: 2 ** 52 + 3 }, '(JavaScript without a name)'],
    [{ kind: 'javascript' }, '(anonymous)'],
    [{ file: '/src/a.c' }, 'a.c'],
    [{}, '(unknown)'],
  ] as const)('%j is called %s', (frame, name) => {
    expect(frameName(frameOf(frame), modules)).toBe(name);
  });

  test.each([
    [{ file: 'file:///a%20b/c.ts', line: 7 }, '/a b/c.ts:7'],
    [{ file: 'node:fs', line: 0 }, 'node:fs'],
    [{ module: '/usr/lib/libz.so.1' }, 'libz.so.1'],
    [{}, ''],
  ] as const)('%j is at %s', (frame, place) => {
    expect(framePlace(frameOf(frame))).toBe(place);
  });

  test('where the line of the call is not known, that of the function', () => {
    const place = (frame: FrameInput) => callPlace(frameOf({ file: '/a.js', ...frame }));
    expect(place({ line: 7, functionLine: 3 })).toBe('/a.js:7');
    expect(place({ functionLine: 3 })).toBe('/a.js:3 (where it begins)');
    expect(place({})).toBe('/a.js');
  });

  test('a URL that is none stays as it is', () => {
    expect(readablePath('file:///%zz')).toBe('/%zz');
  });
});
