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
    ['works', ['call bind', 'call sendto', 'works'], { kind: 'works', proof: '2-00ab00ab00ab00ab' }],
    ['killed', ['call bind', 'call sendto', 'signal 31'], { kind: 'fatal', call: 'sendto' }],
    ['killed together with who waited for it', ['call bind', 'call sendto'], { kind: 'fatal', call: 'sendto' }],
    ['killed before it could try anything', [], { kind: 'fatal', call: 'fork' }],
    ['refused', ['call bind', 'call sendto', 'refused bind 1'], { kind: 'refused', call: 'bind', errno: 1 }],
  ])('a trial under filters that %s', (_name, lines, filters) => {
    const text = `${whole('serving=jemalloc')}${['filters 2-00ab00ab00ab00ab', ...lines, ''].join('\n')}`;
    expect(parseProbeOutput(text)).toMatchObject({ serving: 'jemalloc', filters });
    expect(parseProbeOutput(`${whole('serving=jemalloc')}filters unknown\n`)).toMatchObject({
      filters: { kind: 'uncounted' },
    });
    expect(parseProbeOutput(whole('serving=jemalloc'))).not.toHaveProperty('filters');
  });

  test.each([
    ['nothing', ''],
    ['a trial of nothing', `${whole('serving=jemalloc')}works\n`],
    ['a trial with another proof', `${whole('serving=jemalloc')}filters 1-x\nworks\n`],
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
