import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { optionIn } from '../../src/analyses/malloc-conf-versions.js';
import { type JemallocVersion, parseJemallocVersion } from '../../src/model/jemalloc-version.js';
import { MALLOC_CONF_OPTIONS, type OptionRow } from '../../src/model/malloc-conf-options.js';
import { PRESETS } from '../../src/model/malloc-conf-presets.js';
import { readOptionValue } from '../../src/model/malloc-conf-value.js';
import { readLibraryVersion } from '../../src/sources/elf/library-version.js';
import { parseJemallocMessages } from '../../src/sources/process/parse-jemalloc-messages.js';
import { jem, jemallocLibrary, ROOT, runProgram, temporaryFolder } from '../support/programs.js';

const library = jemallocLibrary();
const version = parseJemallocVersion(readLibraryVersion(library, 'jemalloc') ?? '') as JemallocVersion;
const rows = Object.entries<OptionRow>(MALLOC_CONF_OPTIONS);
// Configure switches of jemalloc that distributions differ in.
const UNCERTAIN_BUILDS = ['utrace', 'xmalloc', 'log', 'uaf-detection', 'cxx', 'prof', 'fill'];

/** The pairs the real library refuses, as `key:value`. */
async function refusedBy(conf: string): Promise<Set<string>> {
  const { stderr, code } = await runProgram('/bin/true', [], { env: { LD_PRELOAD: library, MALLOC_CONF: conf } });
  expect(code).toBe(0);
  const messages = parseJemallocMessages(stderr);
  return new Set(
    messages.flatMap((message) => (message.kind === 'refused' ? [`${message.key}:${message.value}`] : [])),
  );
}

function sampleValue(row: OptionRow): string {
  if (row.default !== undefined) return row.default;
  if (row.type === 'size-classes') return '1-128:2';
  return row.type === 'ratio' ? '0.5' : String(row.min ?? 1);
}

describe('the table of options', () => {
  test('agrees with the real library on which options there are', async () => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    const refused = await refusedBy(rows.map(([name, row]) => `${name}:${sampleValue(row)}`).join(','));
    const disagreeing = rows.filter(([name, row]) => {
      const accepted = !refused.has(`${name}:${sampleValue(row)}`);
      const here = optionIn(row, version).kind === 'here';
      return accepted !== here && !(here && row.build && UNCERTAIN_BUILDS.includes(row.build));
    });
    expect(disagreeing.map(([name]) => name)).toEqual([]);
  });

  test('agrees with the real library on which values it takes', async () => {
    const values = [
      ...[
        'true',
        'false',
        '0',
        '1',
        '7',
        '64',
        '4096',
        '99999999999999999999999',
        '0.5',
        '1.5',
        '-1',
        '-2',
        'yes',
        'x',
      ],
      ...[
        ' 3',
        '3 ',
        '010',
        '0x10',
        '09',
        'default',
        'disabled',
        'auto',
        'always',
        'percpu',
        'free',
        'high',
        'dis',
        '1-128:2',
      ],
    ];
    const disagreeing: string[] = [];
    for (const [name, known] of rows) {
      const here = optionIn(known, version);
      if (here.kind !== 'here' || name === 'abort_conf' || (known.build && UNCERTAIN_BUILDS.includes(known.build)))
        continue;
      const refused = await refusedBy(values.map((value) => `${name}:${value}`).join(','));
      for (const value of values) {
        const read = readOptionValue(here.row, value);
        // jemalloc reads a negative number as a huge one and clips that: we call it wrong.
        if (value.startsWith('-') && (known.min ?? 0) >= 0) continue;
        if ((read.kind === 'wrong') !== refused.has(`${name}:${value}`))
          disagreeing.push(`${name}:${value} is ${read.kind} to us`);
      }
    }
    // Where jemalloc quietly takes the most it has room for: nobody means these.
    const stricter = ['narenas:4096', 'lg_tcache_max:64', 'lg_tcache_max:4096'].map((pair) => `${pair} is wrong to us`);
    expect(disagreeing.filter((line) => !stricter.includes(line))).toEqual([]);
  });
});

describe('jem conf check', () => {
  const check = (conf: string, ...more: string[]) => jem(['conf', 'check', conf, '--library', library, ...more]);

  test.each(Object.values(PRESETS))('preset $name holds on the real library', async ({ conf }) => {
    const { code, stdout, stderr } = await check(conf, '--json');
    expect(stderr).toBe('');
    const { findings, preflight } = JSON.parse(stdout);
    expect(findings.filter(({ severity }: { severity: string }) => severity !== 'info')).toEqual([]);
    expect(preflight.kind).toBe('ran');
    for (const pair of conf.split(',')) {
      const [key = '', value] = pair.split(':');
      if (preflight.effective[key] !== undefined) expect(preflight.effective[key]).toBe(value);
    }
    expect(code).toBe(0);
  });

  test('shows each problem with its place and what was meant, exit code 1', async () => {
    const { code, stdout } = await check('narenas:2,dirty_decay:5s,background_thread:yes');
    expect(code).toBe(1);
    expect(stdout).toContain('            ^^^^^^^^^^^\n');
    expect(stdout).toContain('instead: dirty_decay_ms:5000');
    expect(stdout).toContain('instead: background_thread:true');
    expect(stdout).toMatch(/2 problems by the rules of jemalloc [\d.]+, and by a real start with /);
  });

  test('reads back what became of the options', async () => {
    const { stdout } = await check('narenas:3,dirty_decay_ms:0x10,thp:never,prof_prefix:/tmp/x', '--json');
    expect(JSON.parse(stdout).preflight.effective).toMatchObject({ narenas: '3', dirty_decay_ms: '16', thp: 'never' });
  });

  test('abort_conf ends the trial, not the check', async () => {
    const { code, stdout, stderr } = await check('abort_conf:true,nothing:1');
    expect(code).toBe(1);
    expect(stderr).toContain('a program started with it ends at once (SIGABRT)');
    expect(stdout).toContain('not usable');
  });

  test('leaves no profile behind', async () => {
    const cwd = temporaryFolder();
    const conf = 'prof:true,prof_gdump:true,lg_prof_interval:0,lg_prof_sample:0,prof_final:true';
    const { code } = await jem(['conf', 'check', conf, '--library', library], { cwd });
    expect(code).toBe(0);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('reads MALLOC_CONF where no string is given, and says so', async () => {
    const given = { env: { MALLOC_CONF: 'narena:2' } };
    const { code, stderr } = await jem(['conf', 'check', '--no-preflight'], given);
    expect(code).toBe(1);
    expect(stderr).toContain('reading MALLOC_CONF of the environment: narena:2');
    const without = await jem(['conf', 'check', '--no-preflight']);
    expect(without.code).toBe(2);
    expect(without.stderr).toContain('hint: ');
  });

  test('judges by another version without a start', async () => {
    const { code, stdout, stderr } = await jem(['conf', 'check', 'narenas_ratio:1', '--for-version', '5.2.1']);
    expect(code).toBe(1);
    expect(stdout).toContain('narenas_ratio exists since jemalloc 5.3.0');
    expect(stderr).toContain('not tried on a real jemalloc');
  });

  test.each([
    [['--library', '/nowhere/libjemalloc.so.2'], 3, /there is no such file/],
    [['--for-version', 'latest'], 2, /expected a jemalloc version/],
  ])('%j is refused', async (args, exitCode, message) => {
    const { code, stderr } = await jem(['conf', 'check', 'narenas:2', ...args]);
    expect(code).toBe(exitCode);
    expect(stderr).toMatch(message);
  });
});

describe('jem conf explain, list, presets', () => {
  test('explain says each pair', async () => {
    const { code, stdout } = await jem(['conf', 'explain', 'dirty_decay_ms:1000,tcache:false']);
    expect(code).toBe(0);
    expect(stdout).toContain('Here: 1 s.');
    expect(stdout).toContain('Off. Default: on.');
  });

  test('list has every option, whole lines into a pipe', async () => {
    const { stdout } = await jem(['conf', 'list']);
    for (const [name] of rows) expect(stdout).toContain(`\n${name} `);
    const { stdout: json } = await jem(['conf', 'list', '--for-version', '4.5.0', '--json']);
    expect(JSON.parse(json).map(({ name }: { name: string }) => name)).toContain('decay_time');
  });

  test('says which releases it knows', async () => {
    const known = (version: string) => jem(['conf', 'check', 'narenas:2', '--for-version', version]);
    expect((await known('5.9.9')).stderr).toContain('jemalloc 4.0 to 5.4 are known, not those of 5.9.9');
    expect((await known('5.2.1')).stderr).not.toContain('are known');
  });

  test('presets shows all, one, and refuses others', async () => {
    expect((await jem(['conf', 'presets'])).stdout).toContain('balanced (default)');
    expect(JSON.parse((await jem(['conf', 'presets', 'minimal', '--json'])).stdout).conf).toBe(PRESETS.minimal.conf);
    expect((await jem(['conf', 'presets', 'toString'])).code).toBe(2);
  });
});

test('jem config finds what compiles, links and runs', async () => {
  const { stdout: flags, code } = await jem(['config', '--cflags', '--libs']);
  expect(code).toBe(0);
  const { stdout: named } = await jem(['config', '--version']);
  const folder = temporaryFolder();
  const source = join(ROOT, 'tests', 'native', 'print-version.c');
  const output = join(folder, 'print-version');
  const words = flags.split(/\s+/).filter(Boolean);
  const compiled = await runProgram('cc', [source, ...words, '-o', output]);
  expect(compiled.stderr).toBe('');
  expect((await runProgram(output, [])).stdout).toBe(named);
});
