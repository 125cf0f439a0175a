import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/programs.js';

const BUILT = join(ROOT, 'prebuilds', `linux-${process.arch}-glibc`);
const readelf = (...args: string[]) => execFileSync('readelf', ['-W', ...args], { encoding: 'utf8' });

/** The names a file offers to others. */
function exported(file: string): string[] {
  return readelf('--dyn-syms', join(BUILT, file))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => /^\d+:$/.test(words[0] ?? '') && words[6] !== 'UND' && words[7] !== undefined)
    .map((words) => words[7] ?? '');
}

describe.each(['jemkit.node', 'libjemkit.so'])('%s', (file) => {
  test('needs no glibc newer than 2.17, which every supported Node has', () => {
    const versions = [...readelf('--version-info', join(BUILT, file)).matchAll(/Name: GLIBC_(\d+)\.(\d+)/g)];
    expect(versions.length).toBeGreaterThan(0);
    for (const [, major, minor] of versions) expect(Number(major) * 1000 + Number(minor)).toBeLessThanOrEqual(2017);
  });

  test('needs no library but libc', () => {
    const needed = [...readelf('--dynamic', join(BUILT, file)).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(
      ([, name]) => name,
    );
    expect(needed).toEqual(['libc.so.6']);
  });

  test('stays loaded, binds at once, and its stack is not executable', () => {
    const dynamic = readelf('--dynamic', join(BUILT, file));
    expect(dynamic).toMatch(/FLAGS_1.*\bNOW\b.*\bNODELETE\b|FLAGS_1.*\bNODELETE\b.*\bNOW\b/);
    expect(readelf('--program-headers', join(BUILT, file))).toMatch(/GNU_STACK\s.*\sRW\s/);
  });
});

test('the helper library exports its profiler for the addon, and stands in for nobody’s function', () => {
  expect(exported('libjemkit.so')).toEqual(['jemkit_profiler_1']);
});

test('the addon exports what Node-API asks for, and nothing else', () => {
  expect(exported('jemkit.node').sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
});
