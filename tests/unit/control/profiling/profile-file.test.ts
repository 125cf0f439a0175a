import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  checkProfilePath,
  parseProfileTarget,
  placeFile,
  profilePath,
  writeProfile,
} from '../../../../src/control/profiling/profile-file.js';
import { temporaryFolder } from '../../../support/programs.js';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

describe('parseProfileTarget', () => {
  test('reads the form by the end of the name', () => {
    expect(parseProfileTarget('a/b.pb.gz')).toEqual({ stem: 'a/b', form: 'pprof' });
    expect(parseProfileTarget('b.1.heap')).toEqual({ stem: 'b.1', form: 'heap' });
  });

  test.each(['', '.heap', 'a/.pb.gz', 'a.pb', 'a.gz', 'a.heap.txt', 'heap'])('%j is none', (path) => {
    expect(parseProfileTarget(path)).toBeUndefined();
  });

  test('marks stand before the ending', () => {
    const target = { stem: 'x/y', form: 'pprof' } as const;
    expect([profilePath(target), profilePath(target, '-001'), profilePath(target, '-7', 'heap')]).toEqual([
      'x/y.pb.gz',
      'x/y-001.pb.gz',
      'x/y-7.heap',
    ]);
  });
});

describe('writing', () => {
  const path = () => join(folder, 'a.pb.gz');

  test('makes a file that only its owner reads, and nothing else', () => {
    writeProfile(path(), Buffer.from('new'), false);
    expect(readFileSync(path(), 'utf8')).toBe('new');
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['a.pb.gz']);
  });

  test('leaves a file that is there, unless it is told', () => {
    writeFileSync(path(), 'old');
    expect(() => writeProfile(path(), Buffer.from('new'), false)).toThrow(/it is there already/);
    expect(() => checkProfilePath(path(), false)).toThrow(
      expect.objectContaining({ code: 'ERR_JEM_FILE', exitCode: 3 }),
    );
    expect([readFileSync(path(), 'utf8'), readdirSync(folder)]).toEqual(['old', ['a.pb.gz']]);
    checkProfilePath(path(), true);
    writeProfile(path(), Buffer.from('new'), true);
    expect(readFileSync(path(), 'utf8')).toBe('new');
  });

  test('follows no link, and replaces no folder', () => {
    const other = join(folder, 'other');
    writeFileSync(other, 'mine');
    symlinkSync(other, path());
    expect(() => checkProfilePath(path(), true)).toThrow(/something that is no plain file/);
    expect(() => writeProfile(path(), Buffer.from('new'), false)).toThrow(/it is there already/);
    expect(readFileSync(other, 'utf8')).toBe('mine');
    mkdirSync(join(folder, 'b.heap'));
    expect(() => checkProfilePath(join(folder, 'b.heap'), true)).toThrow(/no plain file/);
  });

  test('says beforehand that a folder is missing', () => {
    expect(() => checkProfilePath(join(folder, 'none', 'a.heap'), false)).toThrow(/there is no such folder \(ENOENT\)/);
    writeFileSync(join(folder, 'file'), '');
    expect(() => checkProfilePath(join(folder, 'file', 'a.heap'), false)).toThrow(/its folder is no folder/);
  });

  test('giving a file its name takes away the one it had', () => {
    writeFileSync(join(folder, 'raw'), 'whole');
    chmodSync(join(folder, 'raw'), 0o600);
    placeFile(join(folder, 'raw'), path(), false);
    expect(readdirSync(folder)).toEqual(['a.pb.gz']);
    writeFileSync(join(folder, 'raw'), 'second');
    expect(() => placeFile(join(folder, 'raw'), path(), false)).toThrow(/it is there already/);
    expect(readFileSync(path(), 'utf8')).toBe('whole');
  });
});
