import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPages } from '../support/documentation.js';
import { type Finished, JEM, ROOT, runProgram, temporaryFolder } from '../support/programs.js';

/** A folder of a user who has jemkit installed: `jem` in PATH, `import 'jemkit'` works, nothing else is there. */
function prepareFolder(): { folder: string; env: Record<string, string | undefined> } {
  const folder = temporaryFolder('jemkit-guide-');
  const bin = join(folder, 'node_modules', '.bin');
  const home = join(folder, 'home');
  mkdirSync(bin, { recursive: true });
  mkdirSync(home);
  symlinkSync(ROOT, join(folder, 'node_modules', 'jemkit'));
  writeFileSync(join(bin, 'jem'), `#!/bin/sh\nexec '${process.execPath}' '${JEM}' "$@"\n`, { mode: 0o755 });
  const path = [bin, join(process.execPath, '..'), process.env['PATH']].join(':');
  return {
    folder,
    env: { PATH: path, HOME: home, XDG_CACHE_HOME: undefined, JEMKIT_LIBRARY: process.env['JEMKIT_TEST_LIBRARY'] },
  };
}

/** How a block of a language is run; blocks of other languages (console, dockerfile, text …) are for people only. */
const RUNNERS: Readonly<Record<string, (text: string) => Promise<Finished>>> = {
  sh: (text) => {
    const { folder, env } = prepareFolder();
    return runProgram('bash', ['-euo', 'pipefail', '-c', text], { cwd: folder, env });
  },
  js: (text) => {
    const { folder, env } = prepareFolder();
    writeFileSync(join(folder, 'example.mjs'), text);
    return runProgram(process.execPath, ['example.mjs'], { cwd: folder, env });
  },
};

describe.each(readPages().filter(({ name }) => name !== 'CONTRIBUTING.md'))('$name', ({ blocks }) => {
  const executed = blocks.filter(({ language }) => Object.hasOwn(RUNNERS, language));
  test.each(executed.map(({ place, language, text }) => [place, language, text] as const))(
    '%s (%s) runs',
    async (_place, language, text) => {
      const result = await RUNNERS[language]?.(text);
      expect(result, `${text}\n${result?.stdout}\n${result?.stderr}`).toMatchObject({ code: 0, signal: null });
      expect(result?.stderr).not.toMatch(/going on without|started without|a bug of jemkit|ERROR: ld\.so/);
    },
  );
  if (executed.length === 0) test('has no block to run', () => expect(executed).toEqual([]));
});
