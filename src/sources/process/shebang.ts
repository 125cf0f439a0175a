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
  const line = head.toString('utf8', 2, end === -1 ? Math.min(head.length, SHEBANG_BYTES) : end).trim();
  const match = /^(\S+)(?:\s+(.*))?$/.exec(line);
  return match?.[1] ? { interpreter: match[1], argument: match[2] || undefined } : undefined;
}

/** The program that `env ARGUMENT` starts (`node`, `-S node --flag`, `-i A=b node`), or undefined where it names none. */
export function parseEnvCommand(argument: string): string | undefined {
  const words = argument.split(/\s+/).filter(Boolean);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '-S' || word === '--split-string' || word === '-i' || word === '--ignore-environment' || word === '-') continue;
    if (word === '-u' || word === '--unset' || word === '-C' || word === '--chdir') {
      i++;
      continue;
    }
    if (word.startsWith('-S')) return parseEnvCommand(word.slice(2) + ' ' + words.slice(i + 1).join(' '));
    if (word.startsWith('-') || word.includes('=')) continue;
    return word;
  }
  return undefined;
}

/** True where `env ARGUMENT` empties the environment, LD_PRELOAD with it. */
export function envDropsEnvironment(argument: string): boolean {
  return /(^|\s)(-i|-|--ignore-environment|-S\s*-i)(\s|$)/.test(argument);
}

// What npm's cmd-shim and pnpm write: `exec "$basedir/node" "$basedir/…"` or `exec node "…"`.
const SHIM = /^\s*exec\s+(?:"\$basedir\/node"|node)\s/m;

/** True for a shell script that npm or pnpm wrote to start a JavaScript file with node. */
export function isNodeShim(script: string): boolean {
  return script.includes('$basedir') && SHIM.test(script);
}
