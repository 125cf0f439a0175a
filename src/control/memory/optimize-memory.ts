import { describeOptimize } from '../../analyses/describe-optimize.js';
import type { OptimizeOptions, OptimizeOutcome } from '../../model/optimize-outcome.js';
import { readInProcessJemalloc } from '../../native.js';
import { readMallctlNumber, refreshMallctl } from '../../sources/mallctl/read-mallctl.js';
import { readResidentBytes } from '../../sources/procfs/resident-memory.js';
import { writeMallctl } from '../mallctl/write-mallctl.js';
import { collectGarbage } from '../pressure/collect-garbage.js';
import { checkOptions, type OptionKinds, refuseOption, writtenOut } from './check-options.js';

/** RSS of this process; undefined where the system does not tell. */
export function readOwnResidentBytes(): number | undefined {
  const bytes = readResidentBytes('self');
  if (bytes !== undefined) return bytes;
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}

function readUnused(): { dirtyBytes: number | undefined; muzzyBytes: number | undefined } {
  refreshMallctl();
  const page = readMallctlNumber('arenas.page');
  const bytes = (name: 'pdirty' | 'pmuzzy') => {
    const pages = readMallctlNumber(`stats.arenas.4096.${name}`);
    return pages.kind === 'value' && page.kind === 'value' ? pages.value * page.value : undefined;
  };
  return { dirtyBytes: bytes('pdirty'), muzzyBytes: bytes('pmuzzy') };
}

/** The second collection ends the sweeping of the first, which otherwise frees Buffers on another thread, some turns later. */
function collectTwice(): boolean {
  return collectGarbage() && collectGarbage();
}

const HERE = { caller: 'optimize' };
const KINDS: OptionKinds<OptimizeOptions> = { how: ['string'], gc: ['boolean'] };

function checkHow(options: OptimizeOptions): void {
  checkOptions(HERE, options, KINDS);
  const { how = 'purge' } = options;
  if (how !== 'purge' && how !== 'decay' && how !== 'none')
    refuseOption(HERE, `how is ${writtenOut(how)} (expected 'purge', 'decay' or 'none')`, "leave it out for 'purge'");
}

function steerJemalloc(how: NonNullable<OptimizeOptions['how']>): OptimizeOutcome['kind'] {
  if (how === 'none') return 'left-alone';
  if (!readInProcessJemalloc()?.serves) return 'no-jemalloc';
  // What this thread has freed lies in its cache, and its pages count as used.
  writeMallctl('thread.tcache.flush');
  const written = writeMallctl(how === 'purge' ? 'arena.4096.purge' : 'arena.4096.decay');
  return written.kind !== 'done' ? 'failed' : how === 'purge' ? 'purged' : 'decayed';
}

/** Gives memory back, and says what came of it. */
export function optimizeMemory(options: OptimizeOptions = {}): OptimizeOutcome {
  checkHow(options);
  const { how = 'purge', gc = false } = options;
  const started = performance.now();
  const residentBeforeBytes = readOwnResidentBytes();
  const before = readUnused();
  const collected = gc ? (collectTwice() ? 'done' : 'unavailable') : 'not-asked';
  const kind = steerJemalloc(how);
  const after = readUnused();
  const residentAfterBytes = readOwnResidentBytes();
  const change =
    residentBeforeBytes === undefined || residentAfterBytes === undefined
      ? undefined
      : residentBeforeBytes - residentAfterBytes;
  const outcome = {
    kind,
    gc: collected,
    residentBeforeBytes,
    residentAfterBytes,
    returnedBytes: change === undefined ? undefined : Math.max(0, change),
    dirtyBeforeBytes: before.dirtyBytes,
    dirtyAfterBytes: after.dirtyBytes,
    muzzyBeforeBytes: before.muzzyBytes,
    muzzyAfterBytes: after.muzzyBytes,
    tookMs: performance.now() - started,
  } as const;
  return { ...outcome, summary: describeOptimize(outcome) };
}
