import type { RungOutcome } from '../../model/memory-pressure.js';
import { captureInto } from '../profiler/capture-folder.js';

/**
 * Writes a heap profile of this process into `folder`, as a file that only its owner can read and that has its name only when
 * it is whole: `jemkit-PID-TIME.heap`. The outcome's detail is its path.
 */
export function writeHeapDump(folder: string, at: Date): RungOutcome {
  const outcome = captureInto(folder, at);
  if (outcome.kind === 'captured') return { kind: 'done', detail: outcome.path };
  if (outcome.kind === 'not-written') return { kind: 'failed', reason: outcome.reason };
  return { kind: 'unavailable', reason: outcome.cause };
}
