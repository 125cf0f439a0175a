/** What a row of the error table says about one code. */
interface ErrorRow {
  /** The exit code `jem` ends with when this error reaches the top. */
  readonly exitCode: 1 | 2 | 3 | 70 | 126 | 127;
  /** One sentence for `docs/errors.md`. */
  readonly meaning: string;
}

/**
 * Every error code of jemkit. `tests/unit/errors.test.ts` holds this table against `docs/errors.md` both ways.
 */
export const ERRORS = {
  ERR_JEM_USAGE: { exitCode: 2, meaning: 'An option, argument or command is unknown, missing or malformed.' },
  ERR_JEM_PROGRAM_NOT_FOUND: { exitCode: 127, meaning: 'The program to run is neither a path nor a name in PATH.' },
  ERR_JEM_PROGRAM_NOT_EXECUTABLE: {
    exitCode: 126,
    meaning: 'The program to run exists but the kernel will not execute it.',
  },
  ERR_JEM_LIBRARY_UNUSABLE: {
    exitCode: 3,
    meaning:
      'No allocator library fits the program (absent, unreadable, wrong architecture or C library, or it fails to load) and the fallback was forbidden.',
  },
  ERR_JEM_MALLOC_CONF: {
    exitCode: 2,
    meaning: 'A MALLOC_CONF string has an unknown option, a bad value or a conflict.',
  },
  ERR_JEM_MALLCTL: {
    exitCode: 2,
    meaning: 'A mallctl key is unknown, is not for reading or writing, or jemalloc did not take the value.',
  },
  ERR_JEM_NO_SUCH_PROCESS: { exitCode: 3, meaning: 'No process has this pid (any more).' },
  ERR_JEM_NO_PERMISSION: { exitCode: 3, meaning: 'The kernel refuses access to this process or file.' },
  ERR_JEM_INSTALL_FAILED: {
    exitCode: 3,
    meaning: 'The allocator library could not be installed; what was there before is unchanged.',
  },
  ERR_JEM_INSTALL_BUSY: { exitCode: 3, meaning: 'Another jemkit process is installing into the same folder.' },
  ERR_JEM_SYSTEM_PACKAGE: {
    exitCode: 3,
    meaning: 'The library belongs to the system package manager, which alone may change it.',
  },
  ERR_JEM_UNSUPPORTED_PLATFORM: {
    exitCode: 3,
    meaning: 'This operating system, architecture or package manager is not supported here.',
  },
  ERR_JEM_FILE: { exitCode: 3, meaning: 'A file or folder could not be read or written.' },
  ERR_JEM_DEMO_SERVER: {
    exitCode: 3,
    meaning: "The demo's server did not start, ended too early or stopped answering.",
  },
  ERR_JEM_NO_AGENT: { exitCode: 3, meaning: 'There is nothing of jemkit inside the process that could be asked.' },
  ERR_JEM_NO_JEMALLOC: { exitCode: 3, meaning: 'The process can be asked, and has another allocator than jemalloc.' },
  ERR_JEM_AGENT_LOST: { exitCode: 3, meaning: 'The process, or the connection to its agent, ended before the answer.' },
  ERR_JEM_AGENT_UNRESPONSIVE: {
    exitCode: 3,
    meaning: 'Who holds the socket of an agent gave no answer in time, or one that makes no sense.',
  },
  ERR_JEM_AGENT_VERSION: {
    exitCode: 3,
    meaning: 'The agent in the process and this jemkit speak different versions of their protocol.',
  },
  ERR_JEM_STATS_FORMAT: {
    exitCode: 3,
    meaning: "jemalloc's statistics came in a form that jemkit does not know.",
  },
  ERR_JEM_RECORDING: { exitCode: 3, meaning: 'A file is no recording, or one of a later jemkit.' },
  ERR_JEM_NO_PROFILING: {
    exitCode: 3,
    meaning: 'The process, its jemalloc or the program to start cannot make heap profiles.',
  },
  ERR_JEM_PROFILE_BUSY: { exitCode: 3, meaning: 'Somebody else profiles the process already.' },
  ERR_JEM_PROFILE: {
    exitCode: 3,
    meaning:
      'A file is no heap profile, or one that is broken, cut off, too large or of a form that jemkit does not read.',
  },
  ERR_JEM_NATIVE: { exitCode: 70, meaning: 'The native part of jemkit is missing or does not load.' },
  ERR_JEM_INTERNAL: { exitCode: 70, meaning: 'A bug in jemkit.' },
} as const satisfies Record<string, ErrorRow>;

/** A code of the table {@link ERRORS}. */
export type JemkitErrorCode = keyof typeof ERRORS;

/** What an error may carry beside its message. */
export interface JemkitErrorOptions {
  /** The remedy, best of all the next command to type. */
  readonly hint?: string;
  /** Machine-readable particulars: what was received, what was expected. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error class of jemkit: what could not be foreseen, or what the caller got wrong.
 * What can be expected (not jemalloc, no permission, no such pid) is returned as a value instead.
 *
 * @example
 * try { await install(); } catch (error) {
 *   if (error instanceof JemkitError && error.code === 'ERR_JEM_INSTALL_BUSY') retryLater();
 * }
 */
export class JemkitError extends Error {
  override readonly name = 'JemkitError';
  readonly code: JemkitErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: JemkitErrorCode, message: string, options: JemkitErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  /** The exit code `jem` ends with: 2 usage, 3 target not available, 126 and 127 as a shell, 70 a bug of ours. */
  get exitCode(): number {
    return ERRORS[this.code].exitCode;
  }
}

/** True for an error of the operating system, which carries a code such as `ENOENT`. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

/** What `read` gives; undefined where the system refuses it: no such file, no permission. Our own mistakes are thrown on. */
export function optional<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
