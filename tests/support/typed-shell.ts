import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { testEnvironment } from './programs.js';

const PROMPT = 'ready>';

/** An interactive shell on a terminal of its own, to which a test types. */
export interface TypedShell {
  /** Types a line and Enter; resolves when the prompt is back. */
  enter(line: string): Promise<void>;
  /** Types without Enter; resolves with all the terminal showed since, as soon as that matches. */
  type(keys: string, expected: RegExp): Promise<string>;
}

// biome-ignore lint/complexity/useRegexLiterals: a literal would need control characters in the source
const ESCAPES = new RegExp(
  '\\u001b(\\[[0-9;?<>=]*[A-Za-z]|\\][^\\u0007\\u001b]*(\\u0007|\\u001b\\\\)|[=>()][0-9A-B]?)|\\u0007|\\r',
  'g',
);

/** Opens `script`'s terminal with a shell in it; `prompt` is the line that makes the shell prompt with `ready>`. */
export async function openTypedShell(
  command: string,
  prompt: string,
  env: Readonly<Record<string, string>>,
): Promise<TypedShell> {
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    env: testEnvironment({ ...env, TERM: 'dumb', COLUMNS: '200', LINES: '50' }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let shown = '';
  let waiting: (() => void) | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    waiting?.();
  });
  child.on('close', () => waiting?.());
  const waitFor = (expected: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${expected} in 20 s; the terminal shows:\n${shown}`)),
        20_000,
      );
      waiting = () => {
        const text = shown.replace(ESCAPES, '');
        if (!expected.test(text)) return;
        clearTimeout(timer);
        waiting = undefined;
        resolve(text);
      };
      waiting();
    });
  const type = (keys: string, expected: RegExp) => {
    shown = '';
    child.stdin.write(keys);
    return waitFor(expected);
  };
  const enter = async (line: string) => {
    await type(`${line}\n`, new RegExp(`${PROMPT} $`));
  };
  await enter(prompt);
  return { enter, type };
}
