import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  persistBlock,
  profileOf,
  requireHome,
  undoBlock,
} from '../../../../src/control/environment/persist-exports.js';

let home: string;
let profile: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'jemkit-home-'));
  profile = join(home, '.bashrc');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const fileError = expect.objectContaining({ code: 'ERR_JEM_FILE' });
// Neither UTF-8 nor ended by a line feed.
const ODD = Buffer.from([0x61, 0xff, 0x0d, 0x0a, 0x62, 0x00, 0xc3]);

describe('persistBlock and undoBlock', () => {
  test('restore every byte, the mode, and leave nothing behind', () => {
    writeFileSync(profile, ODD);
    chmodSync(profile, 0o640);
    expect(persistBlock('export A=ä', { profile })).toMatchObject({
      kind: 'written',
      backup: `${profile}.jemkit-backup`,
    });
    expect(readFileSync(profile).subarray(0, ODD.length)).toEqual(ODD);
    expect(readFileSync(profile, 'utf8')).toContain('export A=ä\n');
    expect(readFileSync(`${profile}.jemkit-backup`)).toEqual(ODD);
    expect(statSync(profile).mode & 0o777).toBe(0o640);
    expect(undoBlock({ profile })).toMatchObject({ kind: 'removed', backup: undefined });
    expect(readFileSync(profile)).toEqual(ODD);
    expect(statSync(profile).mode & 0o777).toBe(0o640);
    expect(readdirSync(home)).toEqual(['.bashrc']);
  });

  test('are idempotent', () => {
    writeFileSync(profile, 'x=1\n');
    persistBlock('one', { profile });
    const once = readFileSync(profile, 'utf8');
    expect(persistBlock('one', { profile }).kind).toBe('unchanged');
    expect(persistBlock('two', { profile }).kind).toBe('written');
    expect(readFileSync(profile, 'utf8')).toBe(once.replace('one', 'two'));
    expect(readFileSync(`${profile}.jemkit-backup`, 'utf8')).toBe('x=1\n');
    undoBlock({ profile });
    expect(undoBlock({ profile }).kind).toBe('nothing-to-undo');
    expect(readFileSync(profile, 'utf8')).toBe('x=1\n');
  });

  test('make a file with its folder, and take the file away again', () => {
    const fish = join(home, 'fish', 'config.fish');
    expect(persistBlock('set -gx A 1;', { profile: fish })).toMatchObject({ kind: 'written', backup: undefined });
    expect(statSync(join(home, 'fish')).mode & 0o777).toBe(0o700);
    expect(undoBlock({ profile: fish }).kind).toBe('removed');
    expect(existsSync(fish)).toBe(false);
  });

  test('keep what was edited since, and the copy', () => {
    writeFileSync(profile, 'x=1\n');
    persistBlock('one', { profile });
    writeFileSync(profile, `${readFileSync(profile, 'utf8')}y=2\n`);
    expect(undoBlock({ profile })).toMatchObject({ kind: 'removed', backup: `${profile}.jemkit-backup` });
    expect(readFileSync(profile, 'utf8')).toBe('x=1\ny=2\n');
    expect(readFileSync(`${profile}.jemkit-backup`, 'utf8')).toBe('x=1\n');
  });

  test('a dry run changes nothing', () => {
    writeFileSync(profile, 'x=1\n');
    expect(persistBlock('one', { profile, dryRun: true })).toMatchObject({ kind: 'written', dryRun: true });
    expect(readdirSync(home)).toEqual(['.bashrc']);
    persistBlock('one', { profile });
    const before = readFileSync(profile, 'utf8');
    expect(undoBlock({ profile, dryRun: true }).kind).toBe('removed');
    expect(readFileSync(profile, 'utf8')).toBe(before);
  });

  test('write through a link of the user’s own', () => {
    mkdirSync(join(home, 'dotfiles'));
    const file = join(home, 'dotfiles', 'bashrc');
    writeFileSync(file, 'x=1\n');
    symlinkSync(file, profile);
    expect(persistBlock('one', { profile }).file).toBe(file);
    expect(lstatSync(profile).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain('one');
  });

  test('refuse another user’s file, what is no file, a dangling link and a damaged block; nothing is changed', () => {
    writeFileSync(profile, 'x=1\n');
    const stranger = (process.geteuid?.() ?? 0) + 1;
    expect(() => persistBlock('one', { profile, uid: stranger })).toThrow(fileError);
    expect(() => undoBlock({ profile, uid: stranger })).toThrow(fileError);
    expect(() => persistBlock('one', { profile: home })).toThrow(/not a regular file/);
    symlinkSync(join(home, 'nowhere'), join(home, 'dangling'));
    expect(() => persistBlock('one', { profile: join(home, 'dangling') })).toThrow(fileError);
    const damaged = join(home, 'damaged');
    writeFileSync(damaged, 'x\n# >>> jemkit >>> …\n');
    expect(() => persistBlock('one', { profile: damaged })).toThrow(/line 2: jemkit's block is damaged/);
    expect(() => undoBlock({ profile: damaged })).toThrow(fileError);
    expect(readFileSync(profile, 'utf8')).toBe('x=1\n');
    expect(readdirSync(home).sort()).toEqual(['.bashrc', 'damaged', 'dangling']);
  });

  test('a folder that cannot be written is said, and leaves nothing', () => {
    writeFileSync(join(home, 'file'), '');
    expect(() => persistBlock('one', { profile: join(home, 'file', 'config.fish') })).toThrow(fileError);
  });
});

describe('profileOf', () => {
  test('is what each shell reads', () => {
    const env = { HOME: '/home/a' };
    expect(profileOf('sh', env)).toBe('/home/a/.profile');
    expect(profileOf('bash', env)).toBe('/home/a/.bashrc');
    expect(profileOf('zsh', env)).toBe('/home/a/.zshrc');
    expect(profileOf('zsh', { ...env, ZDOTDIR: '/z' })).toBe('/z/.zshrc');
    expect(profileOf('fish', env)).toBe('/home/a/.config/fish/config.fish');
    expect(profileOf('fish', { XDG_CONFIG_HOME: '/x' })).toBe('/x/fish/config.fish');
  });

  test('needs a home', () => {
    expect(() => profileOf('bash', {})).toThrow('HOME is not set, expected an absolute path');
    expect(() => profileOf('bash', {})).toThrow(fileError);
    expect(() => profileOf('bash', { HOME: 'relative' })).toThrow(fileError);
  });
});

describe('requireHome', () => {
  test('refuses one that is not there', () => {
    const none = join(home, 'none');
    writeFileSync(profile, '');
    expect(() => requireHome('bash', { HOME: none })).toThrow(`HOME is '${none}', which does not exist`);
    expect(() => requireHome('sh', { HOME: profile })).toThrow('is not a folder');
    expect(() => requireHome('fish', { HOME: none })).toThrow(fileError);
    expect(() => requireHome('zsh', { HOME: home, ZDOTDIR: none })).toThrow(`ZDOTDIR is '${none}'`);
    expect(existsSync(none)).toBe(false);
  });

  test('takes one that is, and a folder of fish’s own that fish would make too', () => {
    requireHome('bash', { HOME: home });
    requireHome('zsh', { HOME: join(home, 'none'), ZDOTDIR: home });
    requireHome('fish', { HOME: home, XDG_CONFIG_HOME: join(home, 'config') });
  });
});
