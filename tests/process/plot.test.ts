import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { parseMarkup } from '../support/markup.js';
import { socketFolder } from '../support/observed-program.js';
import { decodePng } from '../support/png.js';
import { jem, runProgram } from '../support/programs.js';
import { readAll } from '../support/recordings.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { ...launchEnvironment(folder), JEMKIT_AGENT_DIR: sockets };
const at = (name: string) => join(folder, name);
const plot = (...args: string[]) => jem(['plot', ...args], { env, cwd: folder });

/** Holds 40 MiB and lets them go. */
const SCRIPT = `
const kept = [];
const grow = setInterval(() => {
  if (kept.push(Buffer.alloc(2 ** 21, 1)) === 20) { clearInterval(grow); setTimeout(() => process.exit(0), 100); }
}, 30);`;

beforeAll(async () => {
  for (const name of ['before.jemrec', 'after.jemrec']) {
    const { code } = await jem(['record', '-i', '50ms', '-o', at(name), '--', process.execPath, '-e', SCRIPT], { env });
    expect(code).toBe(0);
  }
});

describe('pictures', () => {
  test('SVG is well-formed by a real parser, and shows both runs', async () => {
    const { code, stderr } = await plot('before.jemrec', 'after.jemrec', '-o', 'both.svg');
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^jem: drew \d+ curves into both\.svg\n$/),
    });
    const checked = await runProgram('/usr/bin/python3', [
      '-c',
      'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])',
      at('both.svg'),
    ]);
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    const svg = readFileSync(at('both.svg'), 'utf8');
    expect(parseMarkup(svg)[0]?.name).toBe('svg');
    for (const name of ['RSS, before.jemrec', 'allocated, after.jemrec', 'node -e … (pid']) expect(svg).toContain(name);
  });

  test('PNG has its curves', async () => {
    expect((await plot('before.jemrec', '-o', 'run.png')).code).toBe(0);
    const { width, height, colours } = decodePng(readFileSync(at('run.png')));
    expect([width, height > 900]).toEqual([2000, true]);
    for (const colour of [0x0072b2, 0x008a65, 0x1c1c1c]) expect(colours.get(colour)).toBeGreaterThan(500);
  });

  test('HTML is one file with nothing from elsewhere', async () => {
    expect((await plot('before.jemrec', '-o', 'run.HTML', '--title', '<b>&')).code).toBe(0);
    const page = readFileSync(at('run.HTML'), 'utf8');
    expect(page).toContain('<title>&lt;b&gt;&amp;</title>');
    expect(page).not.toMatch(/src=|<link|@import/);
  });

  test('of a file with a hostile name', async () => {
    const name = '<script>&"\'\u001b[2J.jemrec';
    copyFileSync(at('before.jemrec'), at(name));
    expect((await plot(name, 'after.jemrec', '-o', 'hostile.svg')).code).toBe(0);
    expect(parseMarkup(readFileSync(at('hostile.svg'), 'utf8')).map((element) => element.name)).not.toContain('script');
    const { stdout } = await plot(name);
    expect(stdout).toMatch(/^<script>&"'\?\[2J\.jemrec: /);
  });
});

test('in the terminal: curves with their marks, and a table', async () => {
  const { code, stdout, stderr } = await plot('before.jemrec', '--series', 'rss,allocated');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^before\.jemrec: node -e … \(pid \d+\), .* samples in .*, jemalloc 5\.\S+, until the process ended\n/,
  );
  expect(stdout).toMatch(/R RSS {3}a allocated\nMiB\n/);
  expect(stdout).toMatch(/\nallocated +\S+ MiB +\S+ MiB +\S+ MiB +\S+ MiB +too early to say\n$/);
});

test('JSON has the figures, and with --samples every sample', async () => {
  const { recordings } = JSON.parse((await plot('before.jemrec', '--json', '--samples')).stdout) as {
    recordings: {
      head: object;
      samples: object[];
      series: Record<string, { peakBytes: number }>;
    }[];
  };
  const { all } = readAll(at('before.jemrec'));
  expect(recordings[0]?.samples).toEqual(JSON.parse(JSON.stringify(all)));
  expect(recordings[0]?.series['allocated']?.peakBytes).toBeGreaterThan(40 * 2 ** 20);
});

describe('what goes wrong', () => {
  test('a recording that was cut opens up to there, and that is said', async () => {
    copyFileSync(at('before.jemrec'), at('cut.jemrec'));
    truncateSync(at('cut.jemrec'), statSync(at('cut.jemrec')).size - 150);
    const { code, stderr, stdout } = await plot('cut.jemrec');
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^jem: cut\.jemrec is damaged from byte \d+ on: its first \d+ samples are shown, \d+ bytes are lost\n$/,
    );
    expect(stdout).toContain('cut after the last whole sample');
  });

  test.each([
    [['nowhere.jemrec'], 3, /cannot read nowhere\.jemrec: there is no such file/],
    [['text.jemrec'], 3, /text\.jemrec is no recording: it does not begin as a recording of jemkit does/],
    [['later.jemrec'], 3, /has format 9 of a later jemkit; this one reads up to 1/],
    [['before.jemrec', '-o', 'run.gif'], 2, /must end in \.svg, \.html or \.png/],
    [['before.jemrec', '-o', 'before.jemrec'], 2, /must end in/],
    [['before.jemrec', '-o', 'no/run.svg'], 3, /cannot write no\/run\.svg/],
    [['before.jemrec', '--series', 'alocated'], 2, /did you mean allocated\?/],
    [['before.jemrec', '--samples'], 2, /--samples is for --json/],
    [[], 2, /missing required argument/],
  ])('%j', async (args, code, message) => {
    writeFileSync(at('text.jemrec'), 'hello\n');
    writeFileSync(at('later.jemrec'), 'JEMREC\u0009\n');
    const result = await plot(...args);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
  });
});
