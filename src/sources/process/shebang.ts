/** The kernel reads this much of a script's first line (BINPRM_BUF_SIZE). */
export const SHEBANG_BYTES = 256;

/** What a script's first line starts. */
export interface Shebang {
  readonly interpreter: string;
  /** All that follows, as one argument: the kernel does not split it. */
  readonly argument: string | undefined;
}

/** Parses `#!interpreter [argument]`; undefined for anything else. */
export function parseShebang(head: Buffer): Shebang | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const end = head.indexOf(0x0a);
  const text = head.toString('utf8', 2, end === -1 ? Math.min(head.length, SHEBANG_BYTES) : end);
  // The kernel knows spaces and tabs only: the CR of a file from Windows belongs to the interpreter's name.
  const line = text.replace(/^[ \t]+|[ \t]+$/g, '');
  const match = /^([^ \t]+)(?:[ \t]+(.*))?$/s.exec(line);
  return match?.[1] ? { interpreter: match[1], argument: match[2] || undefined } : undefined;
}

/** What `env …` starts. */
export interface EnvCommand {
  /** Undefined where it names none. */
  readonly program: string | undefined;
  /** The program does not get our LD_PRELOAD: env empties the environment, or changes that variable itself. */
  readonly dropsPreload: boolean;
}

const LONG_OPTIONS_WITH_VALUE = ['--unset', '--chdir', '--argv0', '--split-string'];
const SHORT_OPTIONS_WITH_VALUE = 'uCaPS';

function splitWords(text: string): string[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => word.replace(/^(["'])(.*)\1$/, '$2'));
}

/** Splits an option of env into its name and its value, which may be the next word. */
function readEnvOption(
  word: string,
  next: string | undefined,
): { names: string; value: string | undefined; tookNext: boolean } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    if (equals !== -1) return { names: word.slice(0, equals), value: word.slice(equals + 1), tookNext: false };
    const tookNext = LONG_OPTIONS_WITH_VALUE.includes(word);
    return { names: word, value: tookNext ? next : undefined, tookNext };
  }
  const at = [...word].findIndex((letter) => SHORT_OPTIONS_WITH_VALUE.includes(letter));
  if (at === -1) return { names: word, value: undefined, tookNext: false };
  const rest = word.slice(at + 1);
  return { names: word.slice(0, at + 1), value: rest === '' ? next : rest, tookNext: rest === '' };
}

/** Reads what follows `env`: options, assignments, then the program (`-S node --flag`, `-i A=b node`). */
export function parseEnvCommand(words: readonly string[]): EnvCommand {
  let dropsPreload = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') continue;
    if (word === '-') {
      dropsPreload = true;
    } else if (word.startsWith('-')) {
      const { names, value, tookNext } = readEnvOption(word, words[i + 1]);
      if (names === '--ignore-environment' || /^-\w*i/.test(names)) dropsPreload = true;
      if ((names === '--unset' || /^-\w*u$/.test(names)) && value === 'LD_PRELOAD') dropsPreload = true;
      if (tookNext) i++;
      if (names === '--split-string' || /^-\w*S$/.test(names)) {
        const inner = parseEnvCommand([...splitWords(value ?? ''), ...words.slice(i + 1)]);
        return { ...inner, dropsPreload: dropsPreload || inner.dropsPreload };
      }
    } else if (word.includes('=')) {
      if (word.startsWith('LD_PRELOAD=')) dropsPreload = true;
    } else {
      return { program: word, dropsPreload };
    }
  }
  return { program: undefined, dropsPreload };
}

/** {@link parseEnvCommand} of a script's first line: the kernel hands all that follows `env` over as one word. */
export function parseEnvArgument(argument: string): EnvCommand {
  return parseEnvCommand(splitWords(argument));
}

// What npm's cmd-shim and pnpm write: `exec "$basedir/node" "$basedir/…"` or `exec node "…"`.
const SHIM = /^\s*exec\s+(?:"\$basedir\/node"|node)\s/m;

/** True for a shell script that npm or pnpm wrote to start a JavaScript file with node. */
export function isNodeShim(script: string): boolean {
  return script.includes('$basedir') && SHIM.test(script);
}
