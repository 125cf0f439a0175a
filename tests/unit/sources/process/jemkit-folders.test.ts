import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  cacheFolders,
  canBePreloaded,
  developmentFolder,
  installedLibraryPath,
  isPrivateFolder,
  libraryCacheFolders,
} from '../../../../src/sources/process/jemkit-folders.js';

const folder = mkdtempSync(join(tmpdir(), 'jemkit-folders-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const uid = process.geteuid?.() ?? 0;
const homeCache = process.platform === 'darwin' ? 'Library/Caches/jemkit' : '.cache/jemkit';

describe('cacheFolders', () => {
  it('is the folder that was named, and no other', () => {
    expect(cacheFolders({ JEMKIT_CACHE_DIR: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' }, 7)).toEqual(['/a']);
    expect(cacheFolders({ JEMKIT_CACHE_DIR: 'a' }, 7)).toEqual([join(process.cwd(), 'a')]);
  });

  it('prefers XDG_CACHE_HOME to the home, and falls back to a folder of the user', () => {
    expect(cacheFolders({ XDG_CACHE_HOME: '/b', HOME: '/c' }, 7)).toEqual([
      '/b/jemkit',
      `/c/${homeCache}`,
      '/var/tmp/jemkit-7',
    ]);
    expect(cacheFolders({ XDG_CACHE_HOME: 'relative', HOME: '/c' }, undefined)).toEqual([`/c/${homeCache}`]);
  });

  it('asks the user database where HOME is unset, empty or relative', () => {
    const expected = [join(userInfo().homedir, homeCache), '/var/tmp/jemkit-7'];
    for (const HOME of [undefined, '', 'x'])
      expect(cacheFolders(HOME === undefined ? {} : { HOME }, 7)).toEqual(expected);
  });
});

describe('folders that libraries are loaded from', () => {
  it('leaves out paths that LD_PRELOAD cannot hold', () => {
    expect(canBePreloaded('/a/b')).toBe(true);
    for (const path of ['/a b', '/a:b', '/a\tb', '/a/$LIB']) expect(canBePreloaded(path)).toBe(false);
    expect(libraryCacheFolders({ XDG_CACHE_HOME: '/a b', HOME: '/c' }, undefined)).toEqual([`/c/${homeCache}`]);
    expect(libraryCacheFolders({ JEMKIT_CACHE_DIR: '/a b' }, uid)).toEqual([]);
  });

  it('takes a shared folder only where nobody else can have filled it', () => {
    const own = join(folder, 'own');
    mkdirSync(own, { mode: 0o700 });
    expect(isPrivateFolder(own, uid)).toBe(true);
    expect(isPrivateFolder(own, uid + 1)).toBe(false);
    symlinkSync(own, join(folder, 'link'));
    expect(isPrivateFolder(join(folder, 'link'), uid)).toBe(false);
    expect(isPrivateFolder(join(folder, 'absent'), uid)).toBe(false);
    chmodSync(own, 0o750);
    expect(isPrivateFolder(own, uid)).toBe(false);
  });
});

describe('the layout of a cache folder', () => {
  it('has one lasting path for each library', () => {
    expect(installedLibraryPath('/c', 'jemalloc', 'x64-glibc')).toBe(
      '/c/libraries/jemalloc/x64-glibc/libjemalloc.so.2',
    );
    expect(installedLibraryPath('/c', 'mimalloc', 'arm64-musl')).toBe(
      '/c/libraries/mimalloc/arm64-musl/libmimalloc.so',
    );
    expect(developmentFolder('/c', 'jemalloc', 'x64-glibc')).toBe('/c/development/jemalloc/x64-glibc');
  });
});
