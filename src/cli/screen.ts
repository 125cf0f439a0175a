import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** The whole terminal, for a view that is drawn again and again. */
export interface Screen {
  readonly columns: number;
  readonly lines: number;
  /** Shows these lines in place of what was there. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back, stops as Ctrl-Z would, and takes it again when this process goes on. */
  suspend(): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

/** What happens on the terminal. */
export interface ScreenEvents {
  /** Characters as they are typed. */
  readonly typed: (text: string) => void;
  /** The size changed, or the program was continued: draw again. */
  readonly changed: () => void;
}

// The other screen of the terminal, so that the shell's text is back afterwards; no cursor.
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[H\u001b[2J';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const FATAL = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** How long the kernel may take to stop this process; one without a shell above it is never stopped. */
const STOPPING_MS = 200;

/** Takes the terminal. However this process ends, other than by SIGKILL, the terminal is given back; close it. */
export function openScreen({ typed, changed }: ScreenEvents): Screen {
  const hasKeys = isatty(0);
  let taken = false;
  let open = true;
  const write = (text: string) => {
    let rest = Buffer.from(text);
    try {
      while (rest.length > 0) {
        try {
          rest = rest.subarray(writeSync(1, rest));
        } catch (error) {
          // A terminal that was made non-blocking by somebody else, and is slow.
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        }
      }
    } catch {
      if (open) lost();
    }
  };
  const take = () => {
    if (taken || !open) return;
    taken = true;
    if (hasKeys) {
      // Node remembers the mode it set, and would not set it again where somebody else has changed it since.
      process.stdin.setRawMode(false);
      process.stdin.setRawMode(true);
    }
    write(ENTER);
  };
  const giveBack = () => {
    if (!taken) return;
    taken = false;
    write(LEAVE);
    if (hasKeys) {
      try {
        process.stdin.setRawMode(false);
      } catch {
        // The terminal has hung up.
      }
    }
  };
  // Not by an exit code: at its exit Node 20 aborts where the terminal it has set modes on has hung up.
  const lost = () => dieBy('SIGHUP');
  const dieBy = (signal: NodeJS.Signals) => {
    close();
    process.kill(process.pid, signal);
  };
  const continued = () => {
    // Whoever stopped us may have changed the modes meanwhile.
    taken = false;
    take();
    changed();
  };
  const suspend = () => {
    giveBack();
    process.off('SIGTSTP', suspend);
    process.kill(0, 'SIGTSTP');
    setTimeout(() => {
      if (!open) return;
      process.on('SIGTSTP', suspend);
      if (!taken) continued();
    }, STOPPING_MS);
  };
  const onData = (chunk: Buffer | string) => typed(chunk.toString());
  const close = () => {
    if (!open) return;
    open = false;
    giveBack();
    for (const signal of FATAL) process.off(signal, dieBy);
    process.off('SIGTSTP', suspend);
    process.off('SIGCONT', continued);
    process.off('exit', giveBack);
    process.stdout.off('resize', changed);
    if (hasKeys) {
      process.stdin.off('data', onData);
      process.stdin.off('end', lost);
      process.stdin.off('error', lost);
      process.stdin.pause();
    }
  };

  for (const signal of FATAL) process.on(signal, dieBy);
  process.on('SIGTSTP', suspend);
  process.on('SIGCONT', continued);
  process.on('exit', giveBack);
  process.stdout.on('resize', changed);
  take();
  if (hasKeys) {
    process.stdin.on('data', onData);
    process.stdin.on('end', lost);
    process.stdin.on('error', lost);
  }
  return {
    get columns() {
      return process.stdout.columns || 80;
    },
    get lines() {
      return process.stdout.rows || 25;
    },
    draw(lines) {
      // Line by line over the old text, each cleared to its end: nothing flickers.
      if (taken) write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
    },
    suspend,
    close,
  };
}
