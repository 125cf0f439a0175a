import { describe, expect, it } from 'vitest';
import { explainFailure, lastWords } from '../../../../src/control/install/explain-failure.js';

describe('explainFailure', () => {
  it.each([
    ['E: Failed to fetch http://x/l.deb  Hash Sum mismatch\n   Hashes of expected file:', 'unverified'],
    ["W: GPG error: http://x InRelease: The following signatures couldn't be verified: NO_PUBKEY 1", 'unverified'],
    ['E: There were unauthenticated packages and -y was used without --allow-unauthenticated', 'unverified'],
    ['E: Failed to fetch http://x/l.deb  Error writing to file - write (28: No space left on device)', 'no-space'],
    ['tar: ./usr: Cannot write: No space left on device\ndpkg-deb: error: tar subprocess returned', 'no-space'],
    ['EFBIG', 'no-space'],
    ['E: Unable to locate package libjemalloc9', 'no-such-package'],
    // What apt-get says of a package that is installed, where it has no package lists.
    ["E: Can't find a source to download version '5.3.0-1' of 'libjemalloc2:amd64'", 'no-such-package'],
    ['ERROR: unable to select packages:\n  jemalloc9 (no such package):', 'no-such-package'],
    ['No match for argument: jemalloc', 'no-such-package'],
    [
      'W: Failed to fetch http://x/InRelease  Could not connect to 127.0.0.1:9 - connect (111: Connection refused)',
      'network',
    ],
    ["E: Failed to fetch http://x  Temporary failure resolving 'x'", 'network'],
    ['sudo: a password is required', 'no-permission'],
    ['something else', 'other'],
  ])('%s', (output, kind) => {
    expect(explainFailure(output).kind).toBe(kind);
    expect(explainFailure(output).hint).not.toBe('');
  });
});

describe('lastWords', () => {
  it('prefers errors, then warnings, then whatever came last', () => {
    expect(lastWords('Get:1 x\nW: slow\nE: first\nE: first\nE: second\n')).toBe('E: first / E: second');
    expect(lastWords('Get:1 x\nW: Failed to fetch\nReading package lists...\n')).toBe('W: Failed to fetch');
    expect(lastWords('tar: x: Cannot write: No space left on device\ntar: one\ntar: two\n')).toBe(
      'tar: x: Cannot write: No space left on device / tar: two',
    );
    expect(lastWords('a\rb\n\n')).toBe('a / b');
    expect(lastWords('')).toBe('it said nothing');
  });
});
