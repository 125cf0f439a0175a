import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstallManifest } from '../../../../src/model/installed-library.js';
import { parseInstallManifest, readInstallManifest } from '../../../../src/sources/process/install-manifest.js';

const manifest: InstallManifest = {
  format: 1,
  allocator: 'jemalloc',
  version: '5.3.0',
  manager: 'apt',
  package: 'libjemalloc2',
  packageVersion: '5.3.0-1',
  source: 'apt',
  installedAt: '2026-01-01T00:00:00.000Z',
  archives: [],
  files: [{ path: 'libjemalloc.so.2', bytes: 1, sha256: 'aa' }],
};

describe('parseInstallManifest', () => {
  it('reads back what was written, without what it does not know', () => {
    expect(parseInstallManifest(JSON.stringify({ ...manifest, later: true }))).toEqual(manifest);
    const { version: _version, ...unversioned } = manifest;
    expect(parseInstallManifest(JSON.stringify(unversioned))?.version).toBeUndefined();
  });

  it.each([
    ['no JSON', '{'],
    ['not an object', 'null'],
    ['a later format', JSON.stringify({ ...manifest, format: 2 })],
    ['an unknown allocator', JSON.stringify({ ...manifest, allocator: 'x' })],
    ['files of another shape', JSON.stringify({ ...manifest, files: [{ path: 1 }] })],
    ['no package', JSON.stringify({ ...manifest, package: undefined })],
  ])('refuses %s', (_what, text) => {
    expect(parseInstallManifest(text)).toBeUndefined();
  });

  it('takes any JSON and any text', () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => parseInstallManifest(text) === undefined));
  });

  it('is undefined where there is no file', () => {
    expect(readInstallManifest('/nonexistent/manifest.json')).toBeUndefined();
  });
});
