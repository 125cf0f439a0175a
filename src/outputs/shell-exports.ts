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
  /** jemkit's agent, preloaded behind the library; it acts as JEMKIT_AGENT says, which becomes `auto` where it is empty. */
  readonly agentPath?: string;
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

function renderPosix({ preloadVariable: name, libraryPath, agentPath, conf }: ShellExports): string[] {
  // `${X-}` and `:+` hold under `set -u`; no command here can fail under `set -e`.
  const prepend = (path: string) => [
    `case ":\${${name}-}:" in`,
    `  *[\\ :]${path}[\\ :]*) ;;`,
    `  *) ${name}=${path}\${${name}:+":$${name}"} ;;`,
    'esac',
  ];
  const agent = agentPath
    ? [
        ...prepend(quotePosix(agentPath)),
        `if [ -z "\${JEMKIT_AGENT-}" ]; then JEMKIT_AGENT=auto; fi`,
        'export JEMKIT_AGENT',
      ]
    : [];
  const lines = [...agent, ...prepend(quotePosix(libraryPath)), `export ${name}`];
  if (!conf) return lines;
  const value = quotePosix(conf.value);
  return conf.replaces
    ? [...lines, `export MALLOC_CONF=${value}`]
    : [...lines, `if [ -z "\${MALLOC_CONF-}" ]; then MALLOC_CONF=${value}; fi`, 'export MALLOC_CONF'];
}

function renderFish({ preloadVariable: name, libraryPath, agentPath, conf }: ShellExports): string[] {
  // Every statement ends in `;`: `eval (jem env)` joins the lines with spaces.
  const prepend = (path: string) => [
    `if not contains -- ${path} (string split ':' -- (string replace -a ' ' ':' -- "$${name}"));`,
    `  if test -n "$${name}";`,
    `    set -gx ${name} ${path}":$${name}";`,
    '  else;',
    `    set -gx ${name} ${path};`,
    '  end;',
    'end;',
  ];
  const agent = agentPath
    ? [...prepend(quoteFish(agentPath)), 'if test -z "$JEMKIT_AGENT";', '  set -gx JEMKIT_AGENT auto;', 'end;']
    : [];
  const lines = [...agent, ...prepend(quoteFish(libraryPath))];
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

/** The same for a start-up file: nothing is exported where a file has gone since, so that no login can break. */
export function renderGuardedExports(exports: ShellExports, shell: Shell): string {
  const statements = renderShellExports(exports, shell).replaceAll(/^/gm, '  ');
  const files = exports.agentPath ? [exports.libraryPath, exports.agentPath] : [exports.libraryPath];
  return shell === 'fish'
    ? `if ${files.map((file) => `test -r ${quoteFish(file)}`).join('; and ')};\n${statements}\nend;`
    : `if ${files.map((file) => `[ -r ${quotePosix(file)} ]`).join(' && ')}; then\n${statements}\nfi`;
}
