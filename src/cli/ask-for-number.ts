import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import type { Terminal } from './terminal.js';

/** After so many answers that are none, nobody reads the question. */
const MOST_TRIES = 3;

/** Whether there is somebody to ask: a terminal to read from, and one to write to. */
export function canAsk(terminal: Terminal): boolean {
  return terminal.interactive && isatty(0);
}

/** Asks for a number from 1 to `most`; 0 where the person wants none of them. */
export async function askForNumber(terminal: Terminal, most: number): Promise<number> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const prompt = () => terminal.progress(`Which one? (1 to ${most}, q to quit) `);
  try {
    prompt();
    let tries = 0;
    for await (const line of lines) {
      const answer = line.trim();
      if (/^\d{1,9}$/.test(answer) && Number(answer) >= 1 && Number(answer) <= most) return Number(answer);
      tries++;
      if (/^q(uit)?$/i.test(answer) || tries === MOST_TRIES) return 0;
      prompt();
    }
    return 0;
  } finally {
    lines.close();
    process.stdin.destroy();
  }
}
