import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import { isSystemError, JemkitError } from '../errors.js';

type Style = Parameters<typeof styleText>[0];

/**
 * The two streams of a command: data to stdout, talk to stderr. Writes are synchronous and go to the descriptors directly:
 * opening `process.stdout` would make a pipe non-blocking, which a program that replaces this process would inherit.
 */
export interface Terminal {
  /**
   * Writes data to stdout, with a line feed.
   *
   * @throws JemkitError ERR_JEM_FILE where stdout does not take it: a full disk.
   */
  print(text: string): void;
  /** Writes talk to stderr, with a line feed and with control characters made visible: it may quote what somebody else wrote. */
  say(text: string): void;
  /** Writes to stderr as it is: progress that rewrites its own line. Only where {@link Terminal.interactive}. */
  progress(text: string): void;
  /** The text in a style where stdout shows colours, else as it is. */
  style(style: Style, text: string): string;
  /** True where stderr is a terminal that can rewrite a line. */
  readonly interactive: boolean;
  /** Columns of stdout's terminal, 80 where it is none or does not know. */
  readonly columns: number;
  /** Lines of stdout's terminal, 25 where it is none or does not know. */
  readonly lines: number;
  /** True where stdout is a terminal whose screen can be cleared. */
  readonly redraws: boolean;
  /**
   * True once whoever read stdout has gone (`jem top --batch | head`), which shows when something is printed: what comes from then on is
   * for nobody, and a command that goes on and on has nothing left to do.
   */
  readonly readerGone: boolean;
}

const WRITE_FAILURES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than is allowed',
  EIO: 'the device does not take it',
  EBADF: 'stdout is not open for writing',
};

/** What a person is told where stdout does not take the output; undefined for what is no failure of the system. */
export function explainWriteFailure(error: unknown): JemkitError | undefined {
  if (!isSystemError(error)) return undefined;
  // Node has no name for it: it says `Unknown system error -122`.
  const code = error.errno === -constants.errno.EDQUOT ? 'EDQUOT' : (error.code ?? '');
  const why = WRITE_FAILURES[code];
  return new JemkitError('ERR_JEM_FILE', `cannot write the output: ${why ? `${why} (${code})` : error.message}`, {
    hint: 'what was written is not complete; make room there, or send the output elsewhere',
    cause: error,
  });
}

/** Control characters, which a terminal would obey, in the form `\x1b`; line feeds and tabs stay. */
export function showControlCharacters(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** @returns false where nobody reads it any more. */
function printAll(text: string): boolean {
  try {
    return writeAll(1, text);
  } catch (error) {
    throw explainWriteFailure(error) ?? error;
  }
}

/** Where stderr takes nothing there is nobody left to tell. */
function sayAll(text: string): void {
  try {
    writeAll(2, text);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** @returns false for a reader that has gone (`jem ps | head`), which is not an error of ours. */
function writeAll(descriptor: number, text: string): boolean {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EAGAIN') {
        // The other end set the pipe non-blocking: wait for the reader instead of losing text.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        continue;
      }
      if (code === 'EPIPE') return false;
      throw error;
    }
  }
  return true;
}

function showsColours(descriptor: number, environment: NodeJS.ProcessEnv): boolean {
  if (environment['NO_COLOR']) return false;
  if (environment['FORCE_COLOR'] && environment['FORCE_COLOR'] !== '0') return true;
  return isatty(descriptor) && environment['TERM'] !== 'dumb';
}

/** The terminal of this process. */
export function openTerminal(environment: NodeJS.ProcessEnv = process.env): Terminal {
  const colours = showsColours(1, environment);
  const { TERM = '' } = environment;
  let gone = false;
  return {
    print(text) {
      gone = !printAll(`${text}\n`) || gone;
    },
    say: (text) => sayAll(`${showControlCharacters(text)}\n`),
    progress: sayAll,
    // Decided above: Node's own look at the stream says no where the environment has CI, even on a terminal.
    style: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
    interactive: isatty(2) && environment['TERM'] !== 'dumb',
    get columns() {
      // A serial console or a bare pseudo terminal says 0.
      return (isatty(1) && process.stdout.columns) || 80;
    },
    get lines() {
      return (isatty(1) && process.stdout.rows) || 25;
    },
    get redraws() {
      return isatty(1) && TERM !== '' && TERM !== 'dumb';
    },
    get readerGone() {
      return gone;
    },
  };
}
