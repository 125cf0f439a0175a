import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCtlWords } from '../../../../src/cli/ctl/ctl-words.js';
import { JemkitError } from '../../../../src/errors.js';

test.each<[string, object]>([
  ['get stats.allocated', { target: undefined, action: 'get', rest: ['stats.allocated'] }],
  ['4711 get a b', { target: '4711', action: 'get', rest: ['a', 'b'] }],
  ['redis-server set background_thread true', { target: 'redis-server', action: 'set' }],
  ['set arena.0.purge', { target: undefined, action: 'set', rest: ['arena.0.purge'] }],
  ['list', { target: undefined, action: 'list', rest: [] }],
  ['list decay', { action: 'list', rest: ['decay'] }],
  // A process of such a name is meant by its pid.
  ['get get', { target: undefined, action: 'get', rest: ['get'] }],
])('jem ctl %s', (line, parsed) => {
  expect(parseCtlWords(line.split(' '))).toMatchObject(parsed);
});

test.each<[string, RegExp, string]>([
  ['', /Expected get, set or list/, 'jem ctl get stats.allocated'],
  ['stats.allocated', /what is to be done with 'stats\.allocated'/, 'jem ctl get stats.allocated'],
  ['1', /Expected get or set and a key/, 'jem ctl 1 get'],
  ['1 gte x', /'gte' is nothing that ctl does/, 'jem ctl 1 get x'],
  ['1 stats.active', /expected get or set before 'stats\.active'/, 'jem ctl 1 get stats.active'],
  ['1 set background_thread true now', /one key and one value, received 3 words/, 'quotes'],
  ['1 list', /list tells what jemkit knows/, 'jem ctl list'],
  ['list a b', /one pattern, received 2/, 'quotes'],
  ['get', /get needs a key/, 'jem ctl list'],
])('jem ctl %s: what to type', (line, message, hint) => {
  try {
    parseCtlWords(line.split(' ').filter(Boolean));
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_JEM_USAGE', message: expect.stringMatching(message) });
    expect((error as JemkitError).hint).toContain(hint);
  }
});

test('any words are understood, or a usage error with a hint', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('get', 'set', 'list', '4711', 'stats.allocated'));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (words) => {
      try {
        expect(['get', 'set', 'list']).toContain(parseCtlWords(words).action);
      } catch (error) {
        expect(error).toBeInstanceOf(JemkitError);
        expect(error).toMatchObject({ exitCode: 2, hint: expect.stringContaining('') });
      }
    }),
    { numRuns: 60 },
  );
});
