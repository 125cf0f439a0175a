import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseChosen, readContainer, readHost } from '../../../../src/sources/process/read-host.js';
import { temporaryFolder } from '../../../support/programs.js';

test('containers are known by their marks', () => {
  const root = temporaryFolder();
  expect(readContainer({}, root)).toBeUndefined();
  expect(readContainer({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, root)).toBe('kubernetes');
  mkdirSync(join(root, 'run'));
  writeFileSync(join(root, 'run/.containerenv'), '');
  expect(readContainer({}, root)).toBe('podman');
  writeFileSync(join(root, '.dockerenv'), '');
  expect(readContainer({}, root)).toBe('docker');
});

test('the choice in brackets', () => {
  expect(parseChosen('always [madvise] never')).toBe('madvise');
  expect(parseChosen('')).toBeUndefined();
});

test('this machine has a page size', () => {
  expect(readHost('self', {})).toMatchObject({ pageBytes: expect.any(Number), memoryBytes: expect.any(Number) });
});
