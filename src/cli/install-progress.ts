import { constants } from 'node:os';
import type { InstallProgress } from '../control/install/install-options.js';
import type { CommandContext } from './command.js';
import type { Terminal } from './terminal.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const REDRAW_MS = 100;

/** Says what an installation is doing: one line that rewrites itself on a terminal, else a line for each phase. */
function openProgress(terminal: Terminal, quiet: boolean) {
  let text = '';
  const started = performance.now();
  const draw = () => {
    if (text) terminal.progress(`\r\x1b[K${text} … ${((performance.now() - started) / 1000).toFixed(1)} s`);
  };
  const timer = terminal.interactive ? setInterval(draw, REDRAW_MS).unref() : undefined;
  return {
    show(progress: InstallProgress): void {
      if (!terminal.interactive) {
        if (!quiet) terminal.say(progress.text);
        return;
      }
      // The package manager writes to the terminal itself.
      if (progress.phase === 'system') {
        terminal.progress(`\r\x1b[K${progress.text}\n`);
        text = '';
        return;
      }
      text = progress.text;
      draw();
    },
    close(): void {
      clearInterval(timer);
      if (terminal.interactive) terminal.progress('\r\x1b[K');
    },
  };
}

/**
 * Runs something that installs: with visible progress, and with Ctrl-C and SIGTERM as a request to stop and leave everything as
 * it was. After one of these the exit code is the shell's, 128 and the signal's number.
 *
 * @returns undefined where it was interrupted.
 */
export async function runInstallSession<T>(
  context: CommandContext,
  quiet: boolean,
  work: (signal: AbortSignal, onProgress: (progress: InstallProgress) => void) => Promise<T>,
): Promise<T | undefined> {
  const controller = new AbortController();
  const progress = openProgress(context.terminal, quiet);
  const stop = (signal: NodeJS.Signals) => controller.abort(signal);
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    return await work(controller.signal, progress.show);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    progress.close();
    const signal = controller.signal.reason as (typeof SIGNALS)[number];
    context.terminal.say('jem: interrupted; what was there before is unchanged');
    context.exitCode = 128 + constants.signals[signal];
    return undefined;
  } finally {
    progress.close();
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

/** Prints what was done: JSON, or the text for people with the notes on stderr. */
export function printOutcome<T extends { readonly notes: readonly string[] }>(
  context: CommandContext,
  outcome: T,
  json: boolean | undefined,
  render: (outcome: T) => string,
): void {
  const { terminal } = context;
  if (json) {
    terminal.print(JSON.stringify(outcome, undefined, 2));
    return;
  }
  for (const note of outcome.notes) terminal.say(`jem: note: ${note}`);
  terminal.print(render(outcome));
}
