import { expect, test } from 'vitest';
import { sniffFormat } from '../../../../src/sources/heap-dump/sniff-format.js';

test.each([
  ['', 'empty'],
  ['\n\n', 'empty'],
  ['heap_v2/524288\n', 'heap-v2'],
  ['heap profile:  1: 2 [ 3: 4] @ heapprofile\n', 'heap-older'],
  ['main;f;g 12\n', 'collapsed'],
  ['\x1f\x8b\x08', 'gzip'],
])('%j is %s', (text, kind) => {
  expect(sniffFormat(Buffer.from(text, 'latin1'))).toEqual({ kind });
});

test.each([
  ['\x7fELF\x02\x01', /program, library or core dump/, /heap profile/],
  ['\x28\xb5\x2f\xfd..', /zstd/, /zstd -d/],
  ['{"snapshot":{"meta"', /heap snapshot of V8/, /DevTools/],
  ['{"head":{"callFrame"', /JavaScript's heap only/, /DevTools/],
  ['___ Begin jemalloc statistics ___', /statistics/, /jem stats/],
  ['PERFILE2', /perf/, /stackcollapse/],
  ['#!/bin/sh\necho hello', /begins with "echo hello"/, undefined],
  ['\0\0\0\0', /binary data/, undefined],
])('%j is foreign', (text, name, hint) => {
  const format = sniffFormat(Buffer.from(text, 'latin1'));
  if (format.kind !== 'foreign') throw new Error(`${format.kind}`);
  expect(format.name).toMatch(name);
  if (hint) expect(format.hint).toMatch(hint);
});
