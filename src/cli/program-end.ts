import { statfsSync } from 'node:fs';
import type { ChildEnd } from '../control/launch/start-child.js';
import type { ExitCapture } from '../control/profiling/exit-capture.js';
import type { ProfiledProgram } from '../control/profiling/profiled-program.js';
import { optional } from '../errors.js';
import { printable } from '../outputs/text/table.js';
import type { CommandContext } from './command.js';
import type { Captures, Started } from './program-captures.js';
import type { BeforeSignal } from './program-signals.js';

/** A program that ended so soon after a signal ended because of it: what it held is what was captured before. */
const ENDED_BY_SIGNAL_MS = 60_000;

/** What no capture of a program fits into. */
const LEAST_FREE_BYTES = 64 * 1024;

function isFull(folder: string): boolean {
  const free = optional(() => statfsSync(folder));
  return free !== undefined && free.bavail * free.bsize < LEAST_FREE_BYTES;
}

function sayNothing(end: ChildEnd, { who, session }: Started, { terminal }: CommandContext): void {
  const { folder } = session;
  const last = session.written.at(-1);
  const what =
    end.signal === 'SIGKILL'
      ? 'was killed (SIGKILL), which no program can do anything before'
      : end.signal
        ? `was ended by ${end.signal}`
        : `ended with code ${end.code}`;
  if (last) {
    terminal.say(
      `jem: ${who} ${what}: nothing could be captured at its end; the last capture is ${printable(last.file)}`,
    );
    return;
  }
  terminal.say(`jem: ${who} ${what}, and left no capture`);
  if (isFull(folder)) {
    terminal.say(`  hint: the disk of ${printable(folder)} is full: name a file elsewhere with -o`);
    return;
  }
  terminal.say(
    end.signal
      ? '  hint: jem profile --every 10s -- PROGRAM captures on the way'
      : '  hint: a program that ends by _exit, or changes its user, writes none at its end: jem profile --every 10s -- PROGRAM, or kill -USR2 of jem, captures on the way',
  );
}

/** The capture of the end: the one before a signal that ended the program, else what the program wrote itself. */
export async function captureEnd(
  end: ChildEnd,
  parts: {
    started: Started;
    captures: Captures;
    before: BeforeSignal;
    exit: ExitCapture;
    program: ProfiledProgram;
    startedAtMs: number;
  },
  context: CommandContext,
): Promise<void> {
  const { started, captures, before, exit, program, startedAtMs } = parts;
  const { session, options, child } = started;
  await captures.settled();
  const own = exit.collect(child.pid, startedAtMs, program.leavesPerfMap);
  const bySignal = before.raws.length > 0 && performance.now() - before.atMs < ENDED_BY_SIGNAL_MS;
  const raws = bySignal ? before.raws : own ? [own] : before.raws;
  for (const raw of [own, ...before.raws]) if (raw && !raws.includes(raw)) raw.discard();
  const isSeries = options.every !== undefined || options.atPeak === true;
  if (raws.length > 0) {
    await captures.finish(raws, isSeries ? session.nextMark() : '', 'end');
    if (program.freesBeforeEnd && session.written.length === 1 && own && raws.includes(own)) {
      context.terminal.say(
        'jem: Python frees its objects before it ends, so that is what was left; captured while it runs: --at-peak, --every 10s, or kill -USR2 of jem',
      );
    }
    return;
  }
  if (options.seconds !== undefined && session.written.length > 0) return;
  sayNothing(end, started, context);
  if (end.code === 0 && session.written.length === 0) context.exitCode = 3;
}
