import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { type ReportOptions, readReportRequest } from '../../../../src/cli/report/report-options.js';
import {
  parseCount,
  parseFraction,
  parseGrouping,
  parseNodeCount,
  parsePattern,
} from '../../../../src/cli/report/report-values.js';

const request = (options: Partial<ReportOptions>) => readReportRequest({ sourceMaps: true, ...options });

describe('readReportRequest', () => {
  test('without options: a summary of live bytes', () => {
    expect(request({})).toEqual({
      question: 'profile',
      format: undefined,
      json: false,
      side: 'live',
      measure: 'bytes',
      by: undefined,
      sort: 'flat',
      top: undefined,
    });
  });

  test.each([
    ['a.html', 'html', false],
    ['a.SVG', 'svg', false],
    ['a.pb.gz', 'pprof', false],
    ['a.speedscope.json', 'speedscope', false],
    ['a.json', undefined, true],
    ['a.folded', 'collapsed', false],
    ['a.txt', 'text', false],
  ])('-o %s', (output, format, json) => {
    expect(request({ output })).toMatchObject({ format, json });
  });

  test('an option says what a name does not, and may not contradict it', () => {
    expect(request({ output: 'a.dat', tree: true }).format).toBe('tree');
    expect(request({ output: 'a.dat', json: true })).toMatchObject({ format: undefined, json: true });
    expect(request({ output: 'a.txt', tree: true })).toMatchObject({ format: 'tree', json: false });
    expect(request({ output: 'a.json', tree: true })).toMatchObject({ format: 'tree', json: true });
    expect(request({ output: 'a.json', speedscope: true })).toMatchObject({ format: 'speedscope', json: false });
    expect(request({ output: 'a.txt', leaks: true })).toMatchObject({ question: 'leaks', json: false });
    expect(request({ output: '-' })).toMatchObject({ format: undefined, json: false });
  });

  test('jeprof’s names', () => {
    expect(request({ alloc_objects: true, cum: true, nodecount: 5, lines: true })).toMatchObject({
      side: 'allocated',
      measure: 'objects',
      sort: 'cumulative',
      top: 5,
      by: 'line',
    });
    expect(request({ nodecount: 0 }).top).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    [{ text: true, tree: true }, '--text and --tree exclude each other'],
    [{ json: true, html: true }, '--json and --html exclude each other'],
    [{ output: 'report.doc' }, 'the name does not say in which format'],
    [{ leaks: true, fragmentation: true }, '--leaks and --fragmentation exclude each other'],
    [{ leaks: true, base: 'a' }, 'leave --base out'],
    [{ leaks: true, html: true }, 'leave --html out'],
    [{ leaks: true, output: 'a.html' }, 'leave -o a.html out'],
    [{ output: 'a.html', tree: true }, 'the name says .html'],
    [{ output: 'a.svg', json: true }, 'the name says .svg'],
    [{ fragmentation: true, svg: true }, '--fragmentation prints text or JSON'],
    [{ highWater: true, base: 'a' }, '--high-water finds one of its files'],
    [{ stats: 'a' }, '--stats is for --fragmentation'],
    [{ bottomUp: true }, '--bottom-up is for --tree'],
    [{ inuse_space: true, alloc_space: true }, 'exclude each other'],
    [{ gv: true } as Partial<ReportOptions>, "--gv is jeprof's"],
  ] as const)('%j', (options, message) => {
    expect(() => request(options)).toThrow(message);
  });
});

describe('values', () => {
  test('patterns are regular expressions, with (?i) as pprof has it', () => {
    expect(parsePattern('^a.b$')).toEqual(/^a.b$/);
    expect(parsePattern('(?i)sharp')).toEqual(/sharp/i);
    expect(parsePattern('(?:a|b)')).toEqual(/(?:a|b)/);
    expect(() => parsePattern('(')).toThrow(InvalidArgumentError);
  });

  test('counts, shares and groupings', () => {
    expect(parseCount('20')).toBe(20);
    expect(parseNodeCount('-1')).toBe(0);
    expect(parseFraction('.005')).toBe(0.005);
    expect(parseGrouping('packages')).toBe('package');
    for (const wrong of ['', '-2', '1.5', 'x']) expect(() => parseCount(wrong)).toThrow(InvalidArgumentError);
    for (const wrong of ['', '2', '-1', 'x']) expect(() => parseFraction(wrong)).toThrow(InvalidArgumentError);
    expect(() => parseGrouping('colour')).toThrow('function, file, line');
  });
});
