import type { PressureRung, RungOutcome } from '../../model/memory-pressure.js';
import { optimizeMemory } from '../memory/optimize-memory.js';
import { writeHeapDump } from './write-heap-dump.js';

const WORK = {
  decay: { how: 'decay' },
  purge: { how: 'purge' },
  collect: { how: 'purge', gc: true },
} as const;

/** Does what a rung stands for, in this process. The handler is the ladder's own affair. */
export function climbRung(rung: Exclude<PressureRung, 'handler'>, dumpFolder: string | undefined): RungOutcome {
  if (rung === 'dump') {
    if (dumpFolder === undefined)
      return { kind: 'unavailable', reason: 'no folder was named for heap profiles (dumpFolder)' };
    return writeHeapDump(dumpFolder, new Date());
  }
  const { kind, gc, summary } = optimizeMemory(WORK[rung]);
  if (gc === 'done') return { kind: 'done', detail: summary };
  if (kind === 'no-jemalloc')
    return {
      kind: 'unavailable',
      reason:
        rung === 'collect' ? 'V8 hands out no collector, and there is no jemalloc' : 'this process has no jemalloc',
    };
  return kind === 'failed' ? { kind: 'failed', reason: summary } : { kind: 'done', detail: summary };
}
