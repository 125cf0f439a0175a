import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compilerFlags, linkerFlags } from '../../../../src/model/development-files.js';
import {
  type DevelopmentFilesPlaces,
  parseHeaderVersion,
  parsePkgConfig,
  readDevelopmentFiles,
} from '../../../../src/sources/process/read-development-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-dev-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text = ''): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const places = (changes: Partial<DevelopmentFilesPlaces> = {}): DevelopmentFilesPlaces => ({
  ownTrees: [join(folder, 'own')],
  pkgConfigPath: undefined,
  systemRoot: join(folder, 'system'),
  triplets: ['x86_64-linux-gnu'],
  homebrewPrefixes: [],
  libraryNames: ['libjemalloc.so', 'libjemalloc.a'],
  ...changes,
});

const HEADER = '#define JEMALLOC_VERSION "5.3.0-0-g54eaed1d"\n#define JEMALLOC_VERSION_MAJOR 5\n';

describe('readDevelopmentFiles', () => {
  test('prefers its own tree, and names its folders to compiler, linker and loader', () => {
    for (const prefix of ['own/usr', 'system/usr']) {
      put(`${prefix}/include/jemalloc/jemalloc.h`, HEADER);
      put(`${prefix}/lib/x86_64-linux-gnu/libjemalloc.so`);
    }
    const search = readDevelopmentFiles(places());
    expect(search).toMatchObject({ kind: 'found', files: { source: 'jemkit', version: '5.3.0-0-g54eaed1d' } });
    if (search.kind !== 'found') return;
    const library = join(folder, 'own/usr/lib/x86_64-linux-gnu');
    expect(compilerFlags(search.files)).toBe(`-I${join(folder, 'own/usr/include')}`);
    expect(linkerFlags(search.files)).toBe(`-L${library} -Wl,-rpath,${library} -ljemalloc`);
  });

  test('names no folder that the compiler knows', () => {
    put('system/usr/include/jemalloc/jemalloc.h', 'no version');
    put('system/usr/lib64/libjemalloc.a');
    const search = readDevelopmentFiles(places());
    expect(search).toMatchObject({ kind: 'found', files: { source: 'system', version: undefined } });
    if (search.kind !== 'found') return;
    expect([compilerFlags(search.files), linkerFlags(search.files)]).toEqual(['', '-ljemalloc']);
  });

  test('says which half is missing; a dangling link is no library', () => {
    put('own/usr/include/jemalloc/jemalloc.h', HEADER);
    mkdirSync(join(folder, 'own/usr/lib'), { recursive: true });
    symlinkSync('libjemalloc.so.2', join(folder, 'own/usr/lib/libjemalloc.so'));
    put('system/usr/lib/libjemalloc.so');
    expect(readDevelopmentFiles(places())).toEqual({
      kind: 'none',
      incomplete: [
        { folder: join(folder, 'own/usr/include'), missing: 'library' },
        { folder: join(folder, 'system/usr/lib'), missing: 'header' },
      ],
    });
  });

  test('follows PKG_CONFIG_PATH', () => {
    put('opt/include/jemalloc/jemalloc.h', HEADER);
    put('opt/lib/libjemalloc.so');
    put(
      'pc/jemalloc.pc',
      `prefix=${folder}/opt\nlibdir=\${prefix}/lib\nincludedir=\${prefix}/include\nName: jemalloc\n`,
    );
    const search = readDevelopmentFiles(places({ pkgConfigPath: `relative:${folder}/none:${folder}/pc` }));
    expect(search).toMatchObject({
      kind: 'found',
      files: { source: 'PKG_CONFIG_PATH', libraryFolder: join(folder, 'opt/lib') },
    });
  });
});

test('the parsers never throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parsePkgConfig(text);
      parseHeaderVersion(text);
    }),
  );
  expect(parsePkgConfig(`a=/x\nb=\${a}/y\nc=\${c}`).get('b')).toBe('/x/y');
});
