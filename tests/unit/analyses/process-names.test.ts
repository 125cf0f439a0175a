import fc from 'fast-check';
import { expect, test } from 'vitest';
import { processNames } from '../../../src/analyses/process-names.js';

test.each<[readonly string[], string, readonly string[]]>([
  [['/usr/bin/redis-server', '*:6379'], 'redis-server', ['redis-server']],
  [['node', '--import', 'x', '/srv/app/server.js', 'secret'], 'MainThread', ['MainThread', 'node', 'server.js']],
  [['node', '-e', 'code()'], 'node', ['node']],
  [['python3', '-m', 'http.server'], 'python3', ['python3', 'http.server']],
  [['nginx: worker process', '', ''], 'nginx', ['nginx']],
  [['-bash'], 'bash', ['bash']],
  [[], 'kthreadd', ['kthreadd']],
])('%j', (argv, commandName, names) => {
  expect([...processNames(argv, commandName)].sort()).toEqual([...names].sort());
});

test('is never empty, and never holds an argument that may be a secret', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (secret) => {
      const names = processNames(['/usr/bin/prog', '--password', secret], 'prog');
      expect(names).toEqual(['prog']);
    }),
  );
});
