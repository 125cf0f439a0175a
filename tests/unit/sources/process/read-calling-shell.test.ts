import { expect, test } from 'vitest';
import { parseShellName, readCallingShell } from '../../../../src/sources/process/read-calling-shell.js';

test.each([
  ['bash\n', 'bash'],
  ['-zsh', 'zsh'],
  ['/usr/bin/fish', 'fish'],
  ['dash', 'sh'],
  ['node', undefined],
  ['', undefined],
])('%j is %s', (name, shell) => {
  expect(parseShellName(name)).toBe(shell);
});

test('a pid that is gone has no shell', () => {
  expect(readCallingShell(2 ** 30)).toBeUndefined();
});
