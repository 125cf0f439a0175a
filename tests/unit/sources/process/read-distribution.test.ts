import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  administratorPath,
  findPackageManagers,
  findProgram,
  parseOsRelease,
  readDistribution,
} from '../../../../src/sources/process/read-distribution.js';

const folder = mkdtempSync(join(tmpdir(), 'jemkit-distribution-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('parseOsRelease', () => {
  it('reads quoted and plain values', () => {
    const text = [
      '# a comment',
      'PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"',
      "ID='rocky'",
      'ID_LIKE="rhel centos fedora"',
      'VERSION_ID=9.4',
      'X',
      '',
    ].join('\n');
    expect(parseOsRelease(text)).toEqual({
      id: 'rocky',
      idLike: ['rhel', 'centos', 'fedora'],
      versionId: '9.4',
      prettyName: 'Rocky Linux 9.4 (Blue Onyx)',
    });
  });

  it('leaves out what is not there', () => {
    expect(parseOsRelease('ID=\n')).toEqual({ id: undefined, idLike: [], versionId: undefined, prettyName: undefined });
    expect(parseOsRelease('ID=a\nID=b\nPRETTY_NAME="a \\"b\\" \\$c"')).toMatchObject({
      id: 'b',
      prettyName: 'a "b" $c',
    });
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => Array.isArray(parseOsRelease(text).idLike)),
    );
  });
});

describe('readDistribution', () => {
  it.runIf(process.platform === 'linux')('takes the first file there is, and nothing where there is none', () => {
    writeFileSync(join(folder, 'os-release'), 'ID=alpine\n');
    expect(readDistribution([join(folder, 'absent'), join(folder, 'os-release')]).id).toBe('alpine');
    expect(readDistribution([join(folder, 'absent')]).id).toBeUndefined();
  });
});

describe('finding programs', () => {
  it('finds executables only, and package managers by their program', () => {
    writeFileSync(join(folder, 'apk'), '#!/bin/sh\n');
    chmodSync(join(folder, 'apk'), 0o755);
    writeFileSync(join(folder, 'dnf'), 'not executable');
    chmodSync(join(folder, 'dnf'), 0o644);
    expect(findProgram('apk', folder)).toBe(join(folder, 'apk'));
    expect(findProgram('dnf', folder)).toBeUndefined();
    expect(findPackageManagers(folder)).toEqual(['apk']);
  });

  it("adds the administrators' folders to a PATH, and a whole one where there is none", () => {
    expect(administratorPath('/a').split(':')).toEqual([
      '/a',
      '/usr/local/sbin',
      '/usr/sbin',
      '/sbin',
      '/opt/homebrew/bin',
    ]);
    expect(administratorPath(undefined).split(':')).toContain('/usr/bin');
  });
});
