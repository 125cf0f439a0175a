import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProbeOutput } from '../../../../src/sources/process/probe-output.js';

const whole = (...lines: string[]) => ['jemkit-probe 1', ...lines, 'end', ''].join('\n');

describe('parseProbeOutput', () => {
  test('jemalloc, with its answers', () => {
    expect(
      parseProbeOutput(whole('serving=jemalloc', 'version=5.3.0-0-gabc', 'config.prof=true', 'opt.metadata_thp=a=b')),
    ).toEqual({
      kind: 'works',
      serving: 'jemalloc',
      version: '5.3.0-0-gabc',
      answers: { version: '5.3.0-0-gabc', 'config.prof': 'true', 'opt.metadata_thp': 'a=b' },
    });
  });

  test.each([
    ['209', '2.0.9'],
    ['2112', '2.1.12'],
    ['2', undefined],
    ['x', undefined],
  ])('mimalloc says %s for %s', (text, version) => {
    expect(parseProbeOutput(whole('serving=mimalloc', `mimalloc.version=${text}`))).toMatchObject({ version });
  });

  test('the version of the allocator that serves, not of another that is there too', () => {
    const text = whole('serving=tcmalloc', 'tcmalloc.version=2.10', 'version=5.3.0');
    expect(parseProbeOutput(text)).toMatchObject({ serving: 'tcmalloc', version: '2.10' });
    expect(parseProbeOutput(whole('serving=system'))).toMatchObject({ serving: 'system', version: undefined });
  });

  test.each([
    ['nothing', ''],
    ['a program that ran', 'v20.1.0\n'],
    ['cut short', 'jemkit-probe 1\nserving=jemalloc\n'],
    ['a program that went on', `${whole('serving=jemalloc')}v20.1.0\n`],
    ['another version of the answer', 'jemkit-probe 2\nserving=jemalloc\nend\n'],
    ['an allocator that does not exist', whole('serving=toString')],
    ['no allocator', whole('version=5.3.0')],
  ])('%s is no answer', (_name, text) => {
    expect(parseProbeOutput(text)).toBeUndefined();
  });

  test('any text never throws, and only a whole one is an answer', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseProbeOutput(text)).toBeUndefined();
        parseProbeOutput(whole('serving=jemalloc', text));
      }),
    );
  });
});
