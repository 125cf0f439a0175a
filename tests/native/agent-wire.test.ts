import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WIRE, WIRE_FLAGS, WIRE_OPERATIONS, WIRE_PROF_FLAGS, WIRE_STATUSES } from '../../src/model/agent-wire.js';
import { openAgentOf } from '../support/agent-client.js';
import { compile } from '../support/compile.js';
import { AGENT, folderForFile } from '../support/launching.js';
import { jemallocLibrary, ROOT, runProgram } from '../support/programs.js';
import { openProgram } from '../support/running-program.js';

const folder = folderForFile();
const GOLDEN = join(ROOT, 'tests', 'golden', 'agent-wire', '1');
const SHARED = join(ROOT, 'native', 'shared');
const golden = (name: string) => readFileSync(join(GOLDEN, `${name}.bin`));
const header = readFileSync(join(SHARED, 'wire.h'), 'utf8');

/** The numbers of one enum of wire.h, by their names in JavaScript's spelling. */
function numbersOf(name: string): Record<string, number> {
  const body = header.split(`enum ${name} {`)[1]?.split('};')[0] ?? '';
  return Object.fromEntries(
    [...body.matchAll(/JM_WIRE_(\w+) = (-?\d+)/g)].map(([, word, number]) => [
      word!.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      Number(number),
    ]),
  );
}

test('both sides have the same numbers', () => {
  expect(numbersOf('jm_wire_operation')).toEqual(WIRE_OPERATIONS);
  expect(numbersOf('jm_wire_status')).toEqual(WIRE_STATUSES);
  expect(numbersOf('jm_wire_prof_flag')).toEqual({
    profThreadPool: WIRE_PROF_FLAGS.threadPool,
    profForget: WIRE_PROF_FLAGS.forget,
  });
  expect(numbersOf('jm_wire_flag')).toEqual(WIRE_FLAGS);
  const constant = (name: string) => header.match(new RegExp(`#define JM_WIRE_${name} (.*)`))?.[1];
  expect(constant('MAGIC')).toBe(`UINT32_C(0x${WIRE.magic.toString(16)})`);
  expect(constant('VERSION')).toBe(String(WIRE.version));
  expect(constant('SELECTED_MAX')).toBe(String(WIRE.selectedMax));
});

test('C lays the recorded answers out as they were recorded', async () => {
  const source = readFileSync(join(ROOT, 'tests', 'native', 'agent-wire.c'), 'utf8');
  const { stdout } = await runProgram(compile(folder, 'agent-wire', source, ['-I', SHARED]), []);
  const lines = stdout.trim().split('\n');
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    const [name = '', hex = ''] = line.split(' ');
    expect(hex, name).toBe(golden(`${name}.answer`).toString('hex'));
  }
});

test('a real agent takes every recorded question, and gives the recorded status', async () => {
  const source = readFileSync(join(ROOT, 'tests', 'native', 'agent-host.c'), 'utf8');
  const host = openProgram(
    compile(folder, 'host', source, ['-pthread', '-I', join(ROOT, 'tests', 'native')]),
    ['wait'],
    {
      env: {
        LD_PRELOAD: `${jemallocLibrary()} ${AGENT}`,
        JEMKIT_AGENT: '1',
        JEMKIT_AGENT_DIR: folder,
        MALLOC_CONF: 'prof:true,prof_active:false',
      },
    },
  );
  const client = await openAgentOf(join(folder, `jemkit-${process.geteuid!()}`, `${host.pid}.sock`));
  const names = readdirSync(GOLDEN)
    .filter((name) => name.endsWith('.question.bin'))
    .map((name) => name.replace('.question.bin', ''));
  expect(names.length).toBeGreaterThanOrEqual(Object.keys(WIRE_OPERATIONS).length);
  for (const name of names.sort((a, b) => Number(b === 'select') - Number(a === 'select'))) {
    const question = golden(`${name}.question`);
    // A place that is not this test's to write to, and a key of jemalloc 5.4.
    if (name === 'prof-dump' || name === 'prof-capture' || name === 'read-null') continue;
    const recorded = golden(`${name}.answer`);
    client.send(question);
    const answer = await client.answer();
    // A preloaded agent knows nothing of JavaScript.
    const status = name.startsWith('node') ? 2 : recorded.readInt32LE(12);
    expect([name, answer.status, answer.id, answer.operation, answer.version]).toEqual([
      name,
      status,
      question.readUInt32LE(8),
      question.readUInt16LE(6),
      WIRE.version,
    ]);
    const fixed = ['hello', 'stats', 'node', 'node-count', 'prof-state', 'read', 'write', 'read-text'];
    if (!fixed.includes(name))
      expect([name, answer.payload.length]).toEqual([name, recorded.length - WIRE.headerBytes]);
  }
  expect((await host.end()).code).toBe(7);
});
