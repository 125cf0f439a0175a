import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/**
 * The two streams of a command: data to stdout, talk to stderr. Writes are synchronous and go to the descriptors directly:
 * opening `process.stdout` would make a pipe non-blocking, which a program that replaces this process would inherit.
 */
export interface Terminal {
  /** Writes data to stdout, with a line feed. */
  print(text: string): void;
  /** Writes talk to stderr, with a line feed. */
  say(text: string): void;
  /** Writes to stderr as it is: progress that rewrites its own line. Only where {@link Terminal.interactive}. */
  progress(text: string): void;
  /** The text in a style where stdout shows colours, else as it is. */
  style(style: Style, text: string): string;
  /** True where stderr is a terminal that can rewrite a line. */
  readonly interactive: boolean;
  /** Columns of stdout's terminal, 80 where it is none. */
  readonly columns: number;
}

function writeAll(descriptor: number, text: string): void {
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
      // A reader that has gone (`jem ps | head`) is not an error of ours.
      if (code === 'EPIPE') return;
      throw error;
    }
  }
}

function showsColours(descriptor: number, environment: NodeJS.ProcessEnv): boolean {
  if (environment['NO_COLOR']) return false;
  if (environment['FORCE_COLOR'] && environment['FORCE_COLOR'] !== '0') return true;
  return isatty(descriptor) && environment['TERM'] !== 'dumb';
}

/** The terminal of this process. */
export function openTerminal(environment: NodeJS.ProcessEnv = process.env): Terminal {
  const colours = showsColours(1, environment);
  return {
    print: (text) => writeAll(1, `${text}\n`),
    say: (text) => writeAll(2, `${text}\n`),
    progress: (text) => writeAll(2, text),
    style: (style, text) => (colours ? styleText(style, text) : text),
    interactive: isatty(2) && environment['TERM'] !== 'dumb',
    get columns() {
      return isatty(1) ? (process.stdout.columns ?? 80) : 80;
    },
  };
}
