import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CaptureFacts,
  frameAt,
  type HeapProfile,
  stackFrames,
  UNKNOWN_CAPTURE,
} from '../../../../src/model/heap-profile.js';
import { type FrameInput, openProfileBuilder } from '../../../../src/model/heap-profile-builder.js';
import { nativeKind } from '../../../../src/sources/symbols/frame-kind.js';
import { parseAddressLines } from '../../../../src/sources/symbols/native-lines.js';
import { pathInRoot } from '../../../../src/sources/symbols/path-in-root.js';
import { withRegularFile } from '../../../../src/sources/symbols/regular-file.js';
import { symbolizeProfile } from '../../../../src/sources/symbols/symbolize-profile.js';
import { buildElfSymbols } from '../../../support/elf-symbols.js';

const CAPTURE: CaptureFacts = { ...UNKNOWN_CAPTURE, format: 'jemalloc heap_v2' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-symbols-'));
  const symbols = [
    { name: 'malloc', address: 0x1000, bytes: 0x20 },
    { name: '_ZN3app4loadEi', address: 0x1020, bytes: 0x20 },
    { name: 'fails', address: 0x1040, bytes: 0x10 },
    { name: 'next', address: 0x1050, bytes: 0x10 },
  ];
  mkdirSync(join(folder, 'lib'));
  writeFileSync(join(folder, 'lib/app.so'), buildElfSymbols(symbols, { buildId: 'aabbccdd' }));
  writeFileSync(join(folder, 'server.js'), 'function load() {\n  return Buffer.alloc(1);\n}\nload();\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A profile in which app.so's code is mapped at 0x700000, and each stack holds a byte. */
function profileOf(stacks: readonly (readonly FrameInput[])[], buildId?: string, path = '/lib/app.so'): HeapProfile {
  const builder = openProfileBuilder();
  builder.module({ path, start: 0x700000, end: 0x701000, fileOffset: 0x1000, buildId });
  for (const stack of stacks) {
    builder.sample({ stack: builder.stack(stack.map(builder.frame)), liveObjects: 1, liveBytes: 1 });
  }
  return builder.build(CAPTURE);
}

function namesOf(profile: HeapProfile): string[][] {
  return Array.from({ length: profile.stacks.count }, (_, stack) =>
    Array.from(stackFrames(profile, stack), (frame) => frameAt(profile, frame).name),
  );
}

const at = (offset: number): FrameInput => ({ address: 0x700000 + offset });

describe('symbolizeProfile', () => {
  test('names functions, and drops what the allocator put on top', async () => {
    const profile = await symbolizeProfile(profileOf([[at(0x8), at(0x28)]], 'aabbccdd'), { root: folder });
    expect(namesOf(profile)).toEqual([['app::load']]);
    expect(profile.capture.notes).toEqual([]);
  });

  test('a caller returns behind its call: there another function may begin', async () => {
    const profile = await symbolizeProfile(profileOf([[at(0x28), at(0x50)], [at(0x50)]]), { root: folder });
    expect(namesOf(profile)).toEqual([['app::load', 'fails'], ['next']]);
  });

  test('stacks that become the same are joined, and no byte is lost', async () => {
    const profile = await symbolizeProfile(profileOf([[at(0x2), at(0x28)], [at(0x8), at(0x28)], [at(0x3)]]), {
      root: folder,
    });
    expect(namesOf(profile)).toEqual([['app::load'], ['malloc']]);
    expect(Array.from(profile.samples.liveBytes)).toEqual([2, 1]);
  });

  test.each([
    [
      'another build',
      '99',
      '/lib/app.so',
      /another build lies there now \(build id aabbccdd, the profile has 99\); 1 frame/,
    ],
    [
      'no such file',
      undefined,
      '/lib/gone.so',
      /gone\.so: it is not on this machine; 1 frame in it stays without a name/,
    ],
    ['deleted', undefined, '/lib/app.so (deleted)', /deleted or replaced while the process ran/],
    ['a folder', undefined, '/lib', /no regular file/],
  ])('%s: no name, and a note', async (_what, buildId, path, note) => {
    const profile = await symbolizeProfile(profileOf([[at(0x28)]], buildId, path), { root: folder });
    expect(namesOf(profile)).toEqual([['']]);
    expect(profile.capture.notes).toEqual([expect.stringMatching(note)]);
    expect(frameAt(profile, 0).module).toBe(path);
  });

  test('symbolizing twice changes nothing', async () => {
    const once = await symbolizeProfile(profileOf([[at(0x8), at(0x28)]]), { root: folder });
    expect(await symbolizeProfile(once, { root: folder })).toEqual(once);
  });

  test('lines of JavaScript from the position in the script', async () => {
    const file = join(folder, 'server.js');
    const frame: FrameInput = { name: 'load', file, position: 34, functionLine: 1, kind: 'javascript' };
    const profile = await symbolizeProfile(profileOf([[frame]]));
    expect(frameAt(profile, 0)).toMatchObject({ line: 2, column: 17, name: 'load', file });
  });

  test('a script that is not what ran gives no line, and a note', async () => {
    const frame: FrameInput = {
      name: 'other',
      file: join(folder, 'server.js'),
      position: 34,
      functionLine: 1,
      kind: 'javascript',
    };
    const profile = await symbolizeProfile(profileOf([[frame]]));
    expect(frameAt(profile, 0).line).toBe(0);
    expect(profile.capture.notes).toEqual([expect.stringContaining('not the text that ran')]);
  });

  test('what a perf map named is looked up in the source map too', async () => {
    const map = { version: 3, sources: ['src/server.ts'], names: ['load'], mappings: 'AAAA,SAUSA' };
    const url = `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
    const file = join(folder, 'jitted.js');
    writeFileSync(file, `function a(){return Buffer.alloc(1)}\n//# sourceMappingURL=${url}\n`);
    const perfMap = join(folder, 'perf.map');
    writeFileSync(perfMap, `900000 100 JS:*a ${file}:1:11\n`);
    const profile = await symbolizeProfile(profileOf([[{ address: 0x900010 }]]), { perfMap });
    expect(frameAt(profile, 0)).toMatchObject({
      name: 'load',
      file: join(folder, 'src/server.ts'),
      functionLine: 11,
      functionColumn: 10,
      kind: 'javascript',
      address: 0x900010,
    });
  });

  test('a source map leads to the source', async () => {
    const map = { version: 3, sources: ['src/server.ts'], names: [], mappings: 'AAAA;EAUE' };
    const url = `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
    const file = join(folder, 'mapped.js');
    writeFileSync(file, `function load() {\n  return Buffer.alloc(1);\n}\n//# sourceMappingURL=${url}\n`);
    const frame: FrameInput = { name: 'load', file, position: 34, functionLine: 1, kind: 'javascript' };
    const profile = await symbolizeProfile(profileOf([[frame]]));
    expect(frameAt(profile, 0)).toMatchObject({ file: join(folder, 'src/server.ts'), line: 11 });
    const as = await symbolizeProfile(profileOf([[frame]]), { sourceMaps: false });
    expect(frameAt(as, 0)).toMatchObject({ file, line: 2 });
  });
});

describe('nativeKind', () => {
  test.each([
    ['v8::internal::Heap::Allocate', '/usr/bin/node', 'v8'],
    ['Builtins_ArrayMap', '/usr/bin/node', 'v8'],
    ['node::Buffer::New', '/usr/bin/node', 'node'],
    ['CRYPTO_zalloc', '/usr/bin/node', 'node'],
    ['std::vector::push_back', '/usr/bin/node', 'libc'],
    ['operator new', '/usr/bin/node', 'allocator'],
    ['', '/usr/lib/libjemalloc.so.2', 'allocator'],
    ['je_malloc', '/usr/bin/redis-server', 'allocator'],
    ['_rjem_malloc', '/usr/bin/app', 'allocator'],
    ['zmalloc', '/usr/bin/redis-server', 'native'],
    ['main', '/usr/lib/x86_64-linux-gnu/libc.so.6', 'libc'],
    ['', '/lib64/ld-linux-x86-64.so.2', 'libc'],
    ['', '/usr/lib/libstdc++.so.6.0.30', 'libc'],
    ['', '/app/sharp.node', 'native'],
    ['', '', 'unknown'],
  ] as const)('%s in %s', (name, module, kind) => {
    expect(nativeKind({ name, module, holdsV8: module === '/usr/bin/node' })).toBe(kind);
  });
});

test('parseAddressLines reads what llvm-symbolizer and addr2line write', () => {
  const text =
    '0x1000\ninner\n/a/b.c:3:5\nouter\n/a/b.c:9 (discriminator 2)\n\n0x00002000\n??\n??:0\n0x3000\nmain\n??:?\n';
  expect([...parseAddressLines(text)]).toEqual([
    [
      0x1000,
      [
        { name: 'inner', file: '/a/b.c', line: 3, column: 5 },
        { name: 'outer', file: '/a/b.c', line: 9, column: 0 },
      ],
    ],
    [0x2000, []],
    [0x3000, [{ name: 'main', file: '', line: 0, column: 0 }]],
  ]);
});

describe('files that a profile names', () => {
  test('links inside a root stay inside', () => {
    symlinkSync('/lib', join(folder, 'lib64'));
    symlinkSync('../../../../lib', join(folder, 'lib/up'));
    symlinkSync('loop', join(folder, 'loop'));
    expect(pathInRoot(folder, '/lib64/app.so')).toBe(join(folder, 'lib/app.so'));
    expect(pathInRoot(folder, '/lib/up/app.so')).toBe(join(folder, 'lib/app.so'));
    expect(pathInRoot(folder, '/../../etc/passwd')).toBe(join(folder, 'etc/passwd'));
    expect(pathInRoot(folder, '/loop')).toBe(join(folder, 'loop'));
    expect(pathInRoot(undefined, '/lib64/app.so')).toBe('/lib64/app.so');
  });

  test('only regular files are opened', () => {
    const open = (path: string) => withRegularFile(path, () => 'opened');
    expect(open('/dev/zero')).toEqual({ kind: 'unreadable', code: 'ENOTREG' });
    expect(open(folder)).toEqual({ kind: 'unreadable', code: 'ENOTREG' });
    expect(open('/a\0b')).toMatchObject({ kind: 'unreadable' });
    expect(open(join(folder, 'server.js'))).toBe('opened');
  });
});
