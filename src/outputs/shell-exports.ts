/** The shells `jem env` writes for. */
export const SHELLS = ['sh', 'bash', 'zsh', 'fish'] as const;

/** A shell `jem env` writes for. */
export type Shell = (typeof SHELLS)[number];

/** What a shell is to export. */
export interface ShellExports {
  /** `LD_PRELOAD` or `DYLD_INSERT_LIBRARIES`. */
  readonly preloadVariable: string;
  /** A path without white space, colons and `$`: a preload variable can hold no other. */
  readonly libraryPath: string;
  readonly conf?: {
    readonly value: string;
    /** True replaces what the shell has; false leaves a value that is there. */
    readonly replaces: boolean;
  };
}

/** A word as a POSIX shell reads it back unchanged. */
const quotePosix = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** A word as fish reads it back unchanged: in its single quotes a backslash escapes quote and backslash. */
const quoteFish = (word: string) => `'${word.replaceAll(/[\\']/g, '\\$&')}'`;

function renderPosix({ preloadVariable: name, libraryPath, conf }: ShellExports): string[] {
  const path = quotePosix(libraryPath);
  // `${X-}` and `:+` hold under `set -u`; no command here can fail under `set -e`.
  const lines = [
    `case ":\${${name}-}:" in`,
    `  *[\\ :]${path}[\\ :]*) ;;`,
    `  *) ${name}=${path}\${${name}:+":$${name}"} ;;`,
    'esac',
    `export ${name}`,
  ];
  if (!conf) return lines;
  const value = quotePosix(conf.value);
  return conf.replaces
    ? [...lines, `export MALLOC_CONF=${value}`]
    : [...lines, `if [ -z "\${MALLOC_CONF-}" ]; then MALLOC_CONF=${value}; fi`, 'export MALLOC_CONF'];
}

function renderFish({ preloadVariable: name, libraryPath, conf }: ShellExports): string[] {
  const path = quoteFish(libraryPath);
  // Every statement ends in `;`: `eval (jem env)` joins the lines with spaces.
  const lines = [
    `if not contains -- ${path} (string split ':' -- (string replace -a ' ' ':' -- "$${name}"));`,
    `  if test -n "$${name}";`,
    `    set -gx ${name} ${path}":$${name}";`,
    '  else;',
    `    set -gx ${name} ${path};`,
    '  end;',
    'end;',
  ];
  if (!conf) return lines;
  const set = `set -gx MALLOC_CONF ${quoteFish(conf.value)};`;
  return conf.replaces ? [...lines, set] : [...lines, 'if test -z "$MALLOC_CONF";', `  ${set}`, 'end;'];
}

/**
 * The statements that put a shell, and what it starts, under an allocator. The library goes in front of what is preloaded when
 * they are evaluated, once however often that is.
 */
export function renderShellExports(exports: ShellExports, shell: Shell): string {
  return (shell === 'fish' ? renderFish(exports) : renderPosix(exports)).join('\n');
}

/** The same for a start-up file: nothing is exported where the library has gone since, so that no login can break. */
export function renderGuardedExports(exports: ShellExports, shell: Shell): string {
  const statements = renderShellExports(exports, shell).replaceAll(/^/gm, '  ');
  return shell === 'fish'
    ? `if test -r ${quoteFish(exports.libraryPath)};\n${statements}\nend;`
    : `if [ -r ${quotePosix(exports.libraryPath)} ]; then\n${statements}\nfi`;
}
