import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JemkitError } from '../../../../src/errors.js';
import { readHeapProfile } from '../../../../src/sources/heap-dump/read-profile.js';
import { GOLDEN_PROFILES, goldenBytes, goldenProfiles, PARSERS } from '../../../support/golden-profiles.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-profiles-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function refusalOf(path: string, limits = {}): Promise<JemkitError> {
  const outcome: unknown = await readHeapProfile(path, limits).catch((error: unknown) => error);
  if (!(outcome instanceof JemkitError)) throw new Error(`${path}: ${String(outcome)}`);
  expect(outcome.message).toContain(path);
  expect(outcome.hint).toBeTruthy();
  expect(outcome.exitCode).toBe(3);
  return outcome;
}

test.each(goldenProfiles())('$name is read by what it holds', async ({ name, bytes, format }) => {
  expect(await readHeapProfile(join(GOLDEN_PROFILES, name))).toEqual(PARSERS[format](bytes));
});

const HEAP = goldenBytes('jemalloc/5.3.0/holders.heap');

test('gzip, links and names of any kind are read', async () => {
  const packed = file('no name at all', gzipSync(HEAP));
  symlinkSync(packed, join(folder, 'link'));
  expect(await readHeapProfile(join(folder, 'link'))).toEqual(PARSERS['heap-v2'](HEAP));
});

describe('refused, with the file, the cause and a remedy', () => {
  test('no file', async () => {
    const error = await refusalOf(join(folder, 'absent.heap'));
    expect(error.code).toBe('ERR_JEM_FILE');
  });

  test('a folder, with the last profile in it', async () => {
    const path = join(folder, 'series');
    mkdirSync(path);
    writeFileSync(join(path, 'a.1.heap'), '');
    writeFileSync(join(path, 'a.2.heap'), '');
    const error = await refusalOf(path);
    expect(error.message).toMatch(/it is a folder: received a folder with 2 files/);
    expect(error.hint).toContain('series/a.2.heap');
  });

  test.each([
    ['nothing', '', /the file is empty/],
    ['nothing, compressed', gzipSync(''), /it holds nothing/],
    ['a program', readFileSync(process.execPath).subarray(0, 100_000), /a program, library or core dump/],
    ['text', 'Dear reader,\n', /no heap profile; it begins with "Dear reader,"/],
    ['zeros', Buffer.alloc(100_000), /binary data/],
    ['half a dump', HEAP.subarray(0, 400), /cut off/],
    ['half a gzip file', gzipSync(HEAP).subarray(0, 500), /the compressed file is cut off/],
    ['a damaged gzip file', Buffer.from(gzipSync(HEAP)).fill(7, 300, 340), /damaged|cut off|broken|expected/],
    ['gzip in gzip', gzipSync(gzipSync(HEAP)), /compressed twice/],
  ])('%s', async (name, content, message) => {
    const error = await refusalOf(file(name, content));
    expect(error.code).toBe('ERR_JEM_PROFILE');
    expect(error.message).toMatch(message);
  });

  test('a compressed file that would unpack to more than a limit', async () => {
    const lines = Buffer.from('main;f 1\n'.repeat(400_000));
    expect((await refusalOf(file('bomb', gzipSync(lines)), { unpackedBytes: 1_000_000 })).message).toMatch(/too large/);
  });

  test('a line without an end', async () => {
    const endless = Buffer.alloc(40 * 1024 * 1024, 'x');
    endless.write('heap_v2/1\n@');
    expect((await refusalOf(file('endless', endless))).message).toMatch(/the line does not end/);
  });

  test('a file that grows while it is read', async () => {
    const path = file('growing', HEAP);
    const reading = refusalOf(path);
    // It is there before the first piece can have been read: the size is looked at first.
    let ended = false;
    void reading.finally(() => {
      ended = true;
    });
    while (!ended) {
      appendFileSync(path, '\n');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await reading).message).toMatch(/still being written: received \d+ bytes at first and \d+/);
  });
});
