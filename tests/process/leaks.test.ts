import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodePng } from '../../src/outputs/png/encode-png.js';
import { openRaster } from '../../src/outputs/png/raster.js';
import { profiledEnvironment } from '../support/profiled-program.js';
import { jem, ROOT, runProgram, temporaryFolder } from '../support/programs.js';
import { openProgram, type RunningProgram } from '../support/running-program.js';

const EXAMPLE = join(ROOT, 'examples', 'leaky-server');
const PACKAGES = process.env['JEMKIT_TEST_PACKAGES'] ?? join(homedir(), '.cache', 'jemkit-dev', 'packages');

/** Captures on SIGUSR2, and says so. */
const WATCH = `
  import { profiler } from 'jemkit';
  const started = profiler.start({
    sampleBytes: 16384, threadPool: true, signal: 'SIGUSR2', folder: 'profiles',
    onCapture: (outcome) => console.log(outcome.kind === 'captured' ? outcome.path : JSON.stringify(outcome)),
  });
  if (started.kind !== 'profiling') console.error(started);
`;

/** A copy of the example with the packages that it needs. */
function installExample(): string {
  const folder = temporaryFolder('jemkit-leaks-');
  cpSync(EXAMPLE, join(folder, 'leaky-server'), { recursive: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(folder, 'profiles'));
  mkdirSync(modules);
  symlinkSync(ROOT, join(modules, 'jemkit'));
  for (const name of ['sharp', '@img', 'detect-libc', 'semver'])
    symlinkSync(join(PACKAGES, 'node_modules', name), join(modules, name));
  writeFileSync(join(folder, 'watch.mjs'), WATCH);
  return folder;
}

async function capture(server: RunningProgram): Promise<string> {
  const line = server.line();
  process.kill(server.pid, 'SIGUSR2');
  return line;
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

/** Where a function stands in a file of the example: its first line and its last. */
function linesOf(file: string, name: string): [number, number] {
  const lines = readFileSync(join(EXAMPLE, file), 'utf8').split('\n');
  const first = lines.findIndex((line) => line.includes(`function ${name}(`)) + 1;
  const last = lines.indexOf('}', first) + 1;
  expect(first).toBeGreaterThan(0);
  return [first, last];
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
    ['uploads', 'rememberRequest', 'uploads.js', 60, () => new Uint8Array(64 * 1024).fill(7)],
    ['previews', 'keepPreview', 'previews.js', 24, () => picture],
    ['orders', 'followOrders', 'orders.ts', 60, () => Buffer.from('one more')],
  ] as const)('%s: the top leak is %s in %s', async (kind, name, file, requests, body) => {
    const folder = installExample();
    const server = openProgram(process.execPath, ['--import', './watch.mjs', 'leaky-server', kind], {
      cwd: folder,
      env: profiledEnvironment(),
    });
    const url = /http:\S+/.exec(await server.line())?.[0] ?? '';
    // What every server allocates once is allocated before the first look.
    await load(url, 8, body);
    const captures: string[] = [];
    for (let round = 0; round < 3; round++) {
      if (round > 0) await load(url, requests, body);
      captures.push(await capture(server));
    }
    server.child.kill('SIGTERM');
    expect(await server.finished).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(folder, 'profiles'))).toHaveLength(3);

    const report = await jem(['report', '--leaks', '--json', ...captures]);
    expect(report, report.stderr).toMatchObject({ code: 1 });
    const { leaks } = JSON.parse(report.stdout) as { leaks: Leak[] };
    const [top] = leaks;
    expect(top?.culprit.name).toContain(name);
    const [, line] = new RegExp(`${file.replace('.', '\\.')}:(\\d+)`).exec(top?.culprit.place ?? '') ?? [];
    expect(line, top?.culprit.place).toBeDefined();
    const [first, last] = linesOf(file, name);
    expect(Number(line)).toBeGreaterThanOrEqual(first);
    expect(Number(line)).toBeLessThanOrEqual(last);
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
