import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseCacheFolder } from '../../../../src/control/install/choose-folder.js';
import { JemkitError } from '../../../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'jemkit-choose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function refusal(use: () => unknown): JemkitError {
  try {
    use();
  } catch (error) {
    if (error instanceof JemkitError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('chooseCacheFolder', () => {
  it('only looks where it is not to create', () => {
    const home = join(folder, 'look');
    expect(chooseCacheFolder({ HOME: home }, undefined, false).folder).toContain(home);
    expect(existsSync(home)).toBe(false);
  });

  it('keeps a home to its owner, and lets a named folder be read by services', () => {
    const { folder: own } = chooseCacheFolder({ HOME: join(folder, 'home') }, undefined, true);
    expect(statSync(own).mode & 0o777).toBe(0o700);
    const { folder: named, notes } = chooseCacheFolder({ JEMKIT_CACHE_DIR: join(folder, 'named') }, undefined, true);
    expect(statSync(named).mode & 0o077 & ~0o055).toBe(0);
    expect(notes).toEqual([]);
  });

  it('passes on to the next folder and says why', () => {
    writeFileSync(join(folder, 'file'), '');
    const chosen = chooseCacheFolder(
      { XDG_CACHE_HOME: join(folder, 'file'), HOME: join(folder, 'next') },
      undefined,
      true,
    );
    expect(chosen.folder).toContain(join(folder, 'next'));
    expect(chosen.notes[0]).toBe(
      `${join(folder, 'file')}/jemkit cannot be made: ${join(folder, 'file')} is not a folder`,
    );
    expect(chosen.notes[1]).toContain('is used instead');
  });

  it('refuses a file and a relative path where a folder is named', () => {
    writeFileSync(join(folder, 'no-folder'), '');
    const named = (path: string) =>
      refusal(() => chooseCacheFolder({ JEMKIT_CACHE_DIR: path, HOME: folder }, undefined, true));
    expect(named(join(folder, 'no-folder')).message).toContain(`${join(folder, 'no-folder')} is not a folder`);
    expect(named('own/cache')).toMatchObject({
      code: 'ERR_JEM_USAGE',
      message: expect.stringContaining("'own/cache', expected an absolute path"),
    });
  });

  it('never takes another folder than the one that was named', () => {
    const error = refusal(() =>
      chooseCacheFolder({ JEMKIT_CACHE_DIR: join(folder, 'a b'), HOME: folder }, undefined, true),
    );
    expect(error.code).toBe('ERR_JEM_FILE');
    expect(error.message).toContain('a space');
    expect(error.hint).toContain('JEMKIT_CACHE_DIR=');
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'file'), '');
    expect(
      refusal(() => chooseCacheFolder({ JEMKIT_CACHE_DIR: join(folder, 'sub', 'file', 'x') }, undefined, true)).code,
    ).toBe('ERR_JEM_FILE');
  });
});
