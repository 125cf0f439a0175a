import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TopProcess } from '../../../../src/model/top-process.js';
import { textWidth } from '../../../../src/outputs/text/table.js';
import {
  furthestScroll,
  renderTopScreen,
  renderTopTable,
  type TopScreen,
} from '../../../../src/outputs/text/top-screen.js';
import { figuresOf, sampleAt } from '../../../support/samples.js';

const MIB = 2 ** 20;
const plain = (_: string, text: string) => text;

function one(pid: number, more: Partial<TopProcess> = {}): TopProcess {
  const jemalloc = figuresOf({
    allocatedBytes: 60 * MIB,
    activeBytes: 80 * MIB,
    residentBytes: 90 * MIB,
    dirtyPages: 256,
  });
  return {
    pid,
    name: 'node server.js',
    user: 'www-data',
    answer: { kind: 'sample', sample: sampleAt(0, 100 * MIB, { jemalloc }) },
    fragmentation: 0.25,
    rates: {
      overMs: 1000,
      requestsPerSecond: 12_345,
      allocatedBytesPerSecond: 0,
      residentBytesPerSecond: 2 * MIB,
      purgedBytesPerSecond: 0,
      processors: 0.42,
    },
    residentHistory: [90 * MIB, 95 * MIB, 100 * MIB],
    ...more,
  };
}

function screen(more: Partial<TopScreen> = {}): TopScreen {
  return {
    processes: [one(4711)],
    sort: 'rss',
    reversed: false,
    scroll: 0,
    help: false,
    paused: false,
    intervalMs: 2000,
    time: '12:34:56',
    columns: 150,
    lines: 10,
    unicode: true,
    ...more,
  };
}

const draw = (more: Partial<TopScreen> = {}) => renderTopScreen(screen(more), plain);

describe('the screen', () => {
  test('has a title with the sums, a heading with the order, the processes, and the keys', () => {
    const lines = draw();
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('jem top  12:34:56  1 process, RSS 100 MiB, allocated 60.0 MiB  (every 2 s)');
    expect(lines[1]).toMatch(
      /^ {4}PID {2}USER .* \*RSS .*ALLOC.*ACTIVE.*RESIDENT.*DIRTY.*FRAG.*GROWTH.*REQUESTS\/S.*CPU %.*RSS HISTORY/,
    );
    expect(lines[2]?.replace(/ +/g, ' ')).toBe(
      ' 4711 www-data 100 MiB 60.0 MiB 80.0 MiB 90.0 MiB 1.00 MiB 25.0 % +2.00 MiB/s 12,345 42 ▁▅█ node server.js',
    );
    expect(lines.at(-1)).toMatch(/^q quit/);
  });

  test('marks the column it is sorted by, and the other way round', () => {
    expect(draw({ sort: 'growth' })[1]).toContain('*GROWTH');
    expect(draw({ sort: 'growth', reversed: true })[1]).toContain('+GROWTH');
    expect(draw({ sort: 'name' })[1]).toContain('*COMMAND');
  });

  test('leaves columns out where it is narrow, never the pid, RSS, allocated and the name', () => {
    expect(draw({ columns: 100 })[1]).not.toMatch(/CPU|RESIDENT/);
    const [, heading, row] = draw({ columns: 45 });
    expect(heading).toMatch(/^ {4}PID +\*RSS +ALLOC +COMMAND/);
    expect(row).toMatch(/^ {3}4711 +100 MiB +60\.0 MiB +node server\.js$/);
  });

  test('says of a process why it has no figures, and shows what the kernel knows', () => {
    const process = { residentBytes: 7 * MIB };
    const rows = draw({
      columns: 200,
      processes: [
        one(1, { answer: { kind: 'silent', forMs: 4200, stopped: false, process }, fragmentation: undefined }),
        one(2, { answer: { kind: 'silent', forMs: 4200, stopped: true, process } }),
        one(3, { answer: { kind: 'silent', forMs: 100, stopped: false, process } }),
        one(4, { answer: { kind: 'failed', detail: 'agent of version 2, not 1', process } }),
        one(5, { answer: { kind: 'sample', sample: sampleAt(0, 7 * MIB) }, fragmentation: undefined }),
      ],
    });
    expect(rows[0]).toContain('5 processes, RSS 35.0 MiB, allocated 0 B, 4 without an answer');
    expect(rows[2]).toMatch(/^ {6}1 .* 7\.00 MiB +- +- +- +- +- .*\(no answer for 4 s\)$/);
    expect(rows[3]).toMatch(/\(stopped\)$/);
    expect(rows[4]).toMatch(/\(no answer yet\)$/);
    expect(rows[5]).toMatch(/\(agent of version 2, not 1\)$/);
    expect(rows[6]).toMatch(/7\.00 MiB +- +- .*\(no jemalloc\)$/);
  });

  test('is scrolled no further than to the last process', () => {
    const processes = Array.from({ length: 20 }, (_, at) => one(at + 1));
    expect(furthestScroll({ processes, lines: 10 })).toBe(13);
    const pids = (scroll: number) =>
      draw({ processes, scroll })
        .slice(2, -1)
        .map((line) => Number.parseInt(line, 10));
    expect(pids(0)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(pids(99)).toEqual([14, 15, 16, 17, 18, 19, 20]);
    expect(draw({ processes, scroll: 5 }).at(-1)).toMatch(/^5 above, 8 below/);
  });

  test('says what to do where there is nothing to show', () => {
    expect(draw({ processes: [] })[2]).toBe('No process with an agent. Start one: jem run --agent -- PROGRAM');
  });

  test('of help fits an ordinary terminal and names every order', () => {
    const lines = renderTopScreen(screen({ help: true, columns: 80, lines: 24 }), plain);
    expect(lines.join('\n')).not.toContain('…');
    expect(lines.join('\n')).toMatch(/f fragmentation.*g growth/);
    expect(lines.at(-1)).toMatch(/not measured/);
  });

  test('control characters in a name do nothing', () => {
    expect(draw({ processes: [one(1, { name: 'a\u001b[2Jb', user: 'x\ny' })] }).join('')).not.toMatch(/\u001b|\n/);
  });

  test('never has more lines, or longer ones, than the terminal', () => {
    const process = fc.record({ pid: fc.nat(4_194_304), name: fc.string(), history: fc.array(fc.maxSafeNat()) });
    fc.assert(
      fc.property(
        fc.array(process, { maxLength: 30 }),
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(50),
        fc.boolean(),
        (all, columns, lines, scroll, help) => {
          const processes = all.map(({ pid, name, history }) => one(pid, { name, residentHistory: history }));
          const drawn = draw({ processes, columns, lines, scroll, help });
          expect(drawn.length).toBeLessThanOrEqual(lines);
          for (const line of drawn) expect(textWidth(line)).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });
});

test('the table of a batch has every column, and nothing is cut', () => {
  const name = 'x'.repeat(300);
  const style = { width: undefined, unicode: false, time: '12:34:56' };
  const lines = renderTopTable([one(1, { name })], style, plain).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe('12:34:56  1 process, RSS 100 MiB, allocated 60.0 MiB');
  expect(lines[1]).toMatch(/^ {4}PID .*CPU %.*COMMAND$/);
  expect(lines[2]?.endsWith(name)).toBe(true);
  expect(lines[2]).toContain('_+@');
});
