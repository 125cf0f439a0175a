import type { AllocatorName } from '../model/allocator.js';

/** The options of `jem run`. */
export interface ProgramOptions {
  readonly allocator: AllocatorName;
  readonly library?: string;
  readonly conf?: string;
  readonly preset?: string;
  readonly fallback: 'warn' | 'silent' | 'fail';
  readonly children: boolean;
  /** Undefined: JEMKIT_AGENT, else in the programs it was proven on. */
  readonly agent?: boolean;
  /** False: heap profiling cannot be switched on later. */
  readonly profiling: boolean;
  readonly print?: boolean;
  readonly json?: boolean;
}

/** What `--fallback` takes. */
export const FALLBACKS = ['warn', 'silent', 'fail'] as const;

/** What `--allocator` takes. */
export const ALLOCATORS = ['jemalloc', 'mimalloc', 'tcmalloc', 'system'] as const satisfies readonly AllocatorName[];

/** Options without a value, and what each sets. */
const SWITCHES: Readonly<Record<string, Partial<ProgramOptions>>> = {
  '--no-children': { children: false },
  '--agent': { agent: true },
  '--no-agent': { agent: false },
  '--no-profiling': { profiling: false },
  '--print': { print: true },
  '--json': { json: true },
};

/** Options with a value, and the values allowed where not all are. */
const VALUES: Readonly<Record<string, readonly string[] | undefined>> = {
  '--allocator': ALLOCATORS,
  '--library': undefined,
  '--conf': undefined,
  '--preset': undefined,
  '--fallback': FALLBACKS,
};

/**
 * Reads the well-formed lines of `jem run` without commander, exactly as `commands/run.ts` has commander read them (a test compares
 * the two). Anything else (help, a mistake, a value that looks like an option) is undefined: commander knows what to say.
 */
export function readRunLine(
  args: readonly string[],
): { readonly words: string[]; readonly options: ProgramOptions } | undefined {
  const options: Record<string, unknown> = { allocator: 'jemalloc', fallback: 'warn', children: true, profiling: true };
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') {
      at++;
      break;
    }
    if (!word.startsWith('-')) break;
    if (Object.hasOwn(SWITCHES, word)) {
      Object.assign(options, SWITCHES[word]);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals === -1 ? word : word.slice(0, equals);
    const value = equals === -1 ? args[++at] : word.slice(equals + 1);
    if (!Object.hasOwn(VALUES, name) || !value || value.startsWith('-')) return undefined;
    if (VALUES[name]?.includes(value) === false) return undefined;
    options[name.slice(2)] = value;
  }
  const words = args.slice(at);
  return words.length > 0 ? { words, options: options as unknown as ProgramOptions } : undefined;
}
