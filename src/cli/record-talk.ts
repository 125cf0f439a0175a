import type { RecordOutcome } from '../control/recording/record-process.js';
import type { RecordingFile } from '../control/recording/recording-file.js';
import { readShortCommand } from '../control/recording/sample-process.js';
import { JemkitError } from '../errors.js';
import { formatDuration } from '../model/duration.js';
import type { MemorySample } from '../model/memory-sample.js';
import { formatBytes } from '../outputs/text/bytes.js';
import { printable } from '../outputs/text/table.js';
import { readLargestDescendant } from '../sources/process/largest-descendant.js';
import { openAgentOf } from './choose-process.js';
import type { CommandContext } from './command.js';

const WHAT = { verb: 'record', needs: 'process' } as const;
/** When it is looked whether a child holds more than the process that is recorded: wrappers have started their program by then. */
const CHILD_LOOKS_MS = [3000, 30_000] as const;

/** One line about who is asked and why not, and what to do about it. */
export async function sayWithoutAgent(pid: number, { terminal }: CommandContext): Promise<void> {
  try {
    (await openAgentOf(pid, WHAT)).close();
  } catch (error) {
    if (!(error instanceof JemkitError)) throw error;
    if (error.code === 'ERR_JEM_NO_SUCH_PROCESS') return;
    terminal.say(`jem: only what the kernel tells is recorded: ${error.message}`);
    if (error.hint) terminal.say(`  hint: ${error.hint}`);
  }
}

/** Says once where the memory is, if it is in a child of the recorded process. */
export function openChildLook(pid: number, { terminal }: CommandContext) {
  const left: number[] = [...CHILD_LOOKS_MS];
  let said = false;
  return (elapsedMs: number, residentBytes: number | undefined): void => {
    if (said || left[0] === undefined || elapsedMs < left[0]) return;
    left.shift();
    const child = readLargestDescendant(pid);
    if (!child || child.residentBytes <= (residentBytes ?? 0)) return;
    said = true;
    terminal.say(
      `jem: only pid ${pid} itself is recorded; its child ${child.pid} (${printable(readShortCommand(child.pid))}) holds more: ` +
        `${formatBytes(child.residentBytes)} against ${formatBytes(residentBytes)}; record that one with: jem record ${child.pid}`,
    );
  };
}

/** One line that rewrites itself, where it does not disturb anybody. */
export function openProgressLine({ terminal }: CommandContext, shown: boolean) {
  return {
    show(samples: number, elapsedMs: number, { process: { residentBytes }, jemalloc }: MemorySample): void {
      if (!shown || !terminal.interactive) return;
      const allocated = jemalloc ? `, allocated ${formatBytes(jemalloc.allocatedBytes)}` : '';
      const line = `${formatDuration(elapsedMs)}: ${samples} ${samples === 1 ? 'sample' : 'samples'}, RSS ${formatBytes(residentBytes)}${allocated}   (Ctrl-C ends it)`;
      terminal.progress(`\r${line.slice(0, Math.max(1, terminal.columns - 1))}\u001b[K`);
    },
    clear(): void {
      if (shown && terminal.interactive) terminal.progress('\r\u001b[K');
    },
  };
}

const ENDS = { 'target-ended': 'it ended', duration: 'the time is over', stopped: 'stopped' } as const;

/** Says what came of a recording, and where it is. */
export function sayOutcome(
  who: string,
  outcome: RecordOutcome,
  file: RecordingFile | undefined,
  { terminal }: CommandContext,
): void {
  const { samples, spanMs, firstBytes, lastBytes, peakBytes, end, failure } = outcome;
  if (failure) {
    terminal.say(`jem: ${failure.message}`);
    if (file) terminal.say(`  the ${file.samples} samples before are whole, the recording ends there`);
    else if (failure.hint) terminal.say(`  hint: ${failure.hint}`);
  }
  if (!file) return;
  if (samples === 0 && !failure) {
    const rather = end === 'target-ended' ? 'it ended before the first' : ENDS[end];
    terminal.say(`jem: no sample of ${who}: ${rather}; ${file.path} holds none`);
    return;
  }
  const why = failure ? '' : ` (${ENDS[end]})`;
  const memory = `RSS ${formatBytes(firstBytes)} → ${formatBytes(lastBytes)}, peak ${formatBytes(peakBytes)}`;
  terminal.say(
    `jem: ${file.samples} ${file.samples === 1 ? 'sample' : 'samples'} of ${who} in ${formatDuration(spanMs)}${why}: ${memory}; ${file.path} (${formatBytes(file.bytes)})`,
  );
  if (file.samples > 0) terminal.say(`  look at it: jem plot ${file.path}`);
}
