import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareProfiledProgram, quoteForNodeOptions } from '../../../../src/control/profiling/profiled-program.js';

/** As Node splits NODE_OPTIONS (ParseNodeOptionsEnvVar in node_options.cc). */
function splitNodeOptions(text: string): string[] {
  const words: string[] = [];
  let isInString = false;
  let willStart = true;
  for (let at = 0; at < text.length; at++) {
    let character = text[at] ?? '';
    if (character === '\\' && isInString) character = text[++at] ?? '';
    else if (character === ' ' && !isInString) {
      willStart = true;
      continue;
    } else if (character === '"') {
      isInString = !isInString;
      continue;
    }
    if (willStart) {
      words.push(character);
      willStart = false;
    } else words[words.length - 1] += character;
  }
  return words;
}

const request = {
  words: ['node', 'a.js'],
  interpreter: '/usr/bin/node',
  environment: {},
  exitPath: '/x/exit.heap',
  threadPool: false,
  exactLines: false,
  hook: undefined,
} as const;

describe('quoteForNodeOptions', () => {
  test('gives a word back to Node as it was', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (word) => {
        fc.pre(!/[\t\n\v\f\r]/.test(word));
        expect(splitNodeOptions(`--require ${quoteForNodeOptions(word)}`)).toEqual(['--require', word]);
      }),
    );
    expect(quoteForNodeOptions('/plain/path.cjs')).toBe('/plain/path.cjs');
  });
});

describe('prepareProfiledProgram', () => {
  test('asks for a capture at the end, where one is wanted', () => {
    expect(prepareProfiledProgram(request).environment).toEqual({
      JEMKIT_PROFILE: '1',
      JEMKIT_PROFILE_AT_EXIT: '/x/exit.heap',
    });
    expect(prepareProfiledProgram({ ...request, exitPath: undefined, threadPool: true }).environment).toEqual({
      JEMKIT_PROFILE: '1',
      JEMKIT_PROFILE_THREAD_POOL: '1',
    });
  });

  test('puts the hook behind what NODE_OPTIONS says already', () => {
    const { environment } = prepareProfiledProgram({
      ...request,
      environment: { NODE_OPTIONS: '--max-old-space-size=99' },
      hook: '/my dir/profile.cjs',
    });
    expect(environment['NODE_OPTIONS']).toBe('--max-old-space-size=99 --require "/my dir/profile.cjs"');
  });

  test('gives a Java machine what names its methods, each once', () => {
    const java = prepareProfiledProgram({
      ...request,
      words: ['/opt/jdk/bin/java', '-XX:+PreserveFramePointer', 'Main'],
    });
    expect(java.words).toEqual([
      '/opt/jdk/bin/java',
      '-XX:+UnlockDiagnosticVMOptions',
      '-XX:+DumpPerfMapAtExit',
      '-XX:+PreserveFramePointer',
      'Main',
    ]);
    expect(java.announcements).toEqual([expect.stringContaining('-XX:+DumpPerfMapAtExit')]);
    expect(java.leavesPerfMap).toBe(true);
  });

  const python = { ...request, words: ['/opt/bin/python3', 'a.py'], interpreter: '/opt/bin/python3.12' };

  test.each(['Python 3.12.1\n', 'Python 3.13.0rc1', 'Python 4.0.0'])('names the functions of a %j', (version) => {
    const named = prepareProfiledProgram(python, () => version);
    expect(named.environment['PYTHONPERFSUPPORT']).toBe('1');
    expect(named).toMatchObject({ words: python.words, leavesPerfMap: true, freesBeforeEnd: true });
    expect(named.announcements).toHaveLength(1);
  });

  test.each(['Python 3.11.7', 'Python 2.7.18', '', 'pyenv: no such version'])('%j cannot', (version) => {
    const { environment, announcements } = prepareProfiledProgram(python, () => version);
    expect([environment['PYTHONPERFSUPPORT'], announcements]).toEqual([undefined, []]);
  });

  test('leaves the choice to who made it', () => {
    const chosen = { ...python, environment: { PYTHONPERFSUPPORT: '0' } };
    expect(prepareProfiledProgram(chosen, () => 'Python 3.12.1').environment).not.toHaveProperty('PYTHONPERFSUPPORT');
  });
});
