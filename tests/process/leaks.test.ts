import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodePng } from '../../src/outputs/png/encode-png.js';
import { openRaster } from '../../src/outputs/png/raster.js';
import { launchEnvironment } from '../support/launching.js';
import { jem, ROOT, runProgram, temporaryFolder } from '../support/programs.js';
import { openJem, type RunningProgram } from '../support/running-program.js';

const EXAMPLE = join(ROOT, 'examples', 'leaky-server');
const PACKAGES = process.env['JEMKIT_TEST_PACKAGES'] ?? join(homedir(), '.cache', 'jemkit-dev', 'packages');

/** A copy of the example with the packages that it needs. */
function installExample(): string {
  const folder = temporaryFolder('jemkit-leaks-');
  cpSync(EXAMPLE, join(folder, 'leaky-server'), { recursive: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of ['sharp', '@img', 'detect-libc', 'semver'])
    symlinkSync(join(PACKAGES, 'node_modules', name), join(modules, name));
  return folder;
}

/** Has jem take a capture, and waits for its file. */
async function capture(profiled: RunningProgram, path: string): Promise<void> {
  process.kill(profiled.pid, 'SIGUSR2');
  await expect.poll(() => existsSync(path), { timeout: 20_000, interval: 20 }).toBe(true);
}

/** Sends requests, a few at a time, until so many were answered. */
async function load(url: string, count: number, body: () => Uint8Array): Promise<void> {
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      const response = await fetch(`${url}/?v=${left}-${Math.random()}`, { method: 'POST', body: new Blob([body()]) });
      expect(response.status).toBe(200);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 4 }, client));
}

/** The number of the one line of the example's file that has this text. */
function lineOf(file: string, text: string): number {
  const lines = readFileSync(join(EXAMPLE, file), 'utf8').split('\n');
  const found = lines.flatMap((line, at) => (line.includes(text) ? [at + 1] : []));
  expect(found).toHaveLength(1);
  return found[0]!;
}

interface Leak {
  readonly culprit: { readonly name: string; readonly place: string };
  readonly grownBytes: number;
}

/** A picture that sharp decodes. */
function makePicture(width: number, height: number): Uint8Array {
  const raster = openRaster(width, height, 0x336699);
  raster.fill(20, 20, width / 2, height / 2, 0xcc8844);
  return encodePng(raster, deflateSync);
}

describe('examples/leaky-server', () => {
  const picture = makePicture(400, 300);
  test.each([
    ['uploads', 'rememberRequest', 'uploads.js', 'Buffer.from(body)', 60, () => new Uint8Array(64 * 1024).fill(7)],
    ['previews', 'keepPreview', 'previews.js', 'await sharp(picture)', 24, () => picture],
    ['orders', 'followOrders', 'orders.ts', 'Buffer.from(', 60, () => Buffer.from('one more')],
  ] as const)('%s: the top leak is %s in %s, at %s', async (kind, name, file, culprit, requests, body) => {
    const folder = installExample();
    // The series is made by signals: an hour is later than the end of the test.
    const options = ['--sample-bytes', '16KiB', '--every', '1h', '--thread-pool', '--exact-lines', '-o', 'leak.pb.gz'];
    const profiled = openJem(['profile', ...options, '--', process.execPath, 'leaky-server', kind], {
      cwd: folder,
      env: { ...launchEnvironment(join(folder, 'cache')), JEMKIT_AGENT_DIR: folder },
    });
    const url = /http:\S+/.exec(await profiled.line())?.[0] ?? '';
    // What every server allocates once is allocated before the first look.
    await load(url, 8, body);
    const captures: string[] = [];
    for (let round = 1; round <= 3; round++) {
      if (round > 1) await load(url, requests, body);
      const path = join(folder, `leak-00${round}.pb.gz`);
      await capture(profiled, path);
      captures.push(path);
    }
    profiled.child.kill('SIGTERM');
    expect(await profiled.finished).toMatchObject({ code: 0 });

    const report = await jem(['report', '--leaks', '--json', ...captures]);
    expect(report, report.stderr).toMatchObject({ code: 1 });
    const { leaks } = JSON.parse(report.stdout) as { leaks: Leak[] };
    const [top] = leaks;
    expect(top?.culprit.name).toContain(name);
    expect(top?.culprit.place).toContain(`${file}:${lineOf(file, culprit)}`);
    const text = await jem(['report', '--leaks', ...captures]);
    expect(text.stdout).toContain(name);
  });

  test('orders.js is what the compiler makes of orders.ts', async () => {
    const folder = temporaryFolder('jemkit-leaks-');
    const compiled = await runProgram(
      process.execPath,
      [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', EXAMPLE, '--outDir', folder],
      { cwd: ROOT },
    );
    expect(compiled).toMatchObject({ code: 0, stdout: '' });
    // Only the way from the map to the source depends on where it is put.
    const code = (path: string) => readFileSync(path, 'utf8').replace(/\/\/# sourceMappingURL.*/, '');
    const sources = (path: string) => {
      const [, encoded = ''] = /base64,(.*)/.exec(readFileSync(path, 'utf8')) ?? [];
      const { mappings, sourcesContent } = JSON.parse(Buffer.from(encoded, 'base64').toString()) as Record<
        string,
        unknown
      >;
      return { mappings, sourcesContent };
    };
    const [made, kept] = [join(folder, 'orders.js'), join(EXAMPLE, 'orders.js')];
    expect(code(made)).toBe(code(kept));
    expect(sources(made)).toEqual(sources(kept));
  });
});
