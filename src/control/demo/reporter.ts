// Loaded with --import into the demo's server, so that the example itself stays an ordinary server: answers what the demo asks
// over the IPC channel, from inside the process that is measured.
import { rmdirSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nativeStatus, readInProcessJemalloc } from '../../native.js';
import type { ReporterAnswer, ReporterQuestion } from './reporter-messages.js';

async function collectGarbage(): Promise<void> {
  const { gc } = globalThis;
  // What the first collection finds in Buffers is freed on a helper thread, and some of it only by the second.
  gc?.();
  await sleep(100);
  gc?.();
}

async function answer(question: ReporterQuestion): Promise<ReporterAnswer> {
  if (question.collect) await collectGarbage();
  const memory = process.memoryUsage();
  const processor = process.cpuUsage();
  const jemalloc = readInProcessJemalloc();
  return {
    kind: 'answer',
    id: question.id,
    residentBytes: memory.rss,
    heapTotalBytes: memory.heapTotal,
    heapUsedBytes: memory.heapUsed,
    externalBytes: memory.external,
    processorSeconds: (processor.user + processor.system) / 1e6,
    addon: nativeStatus().kind,
    ...(jemalloc ? { jemalloc: { version: jemalloc.version, serves: jemalloc.serves } } : {}),
  };
}

process.on('message', (message: unknown) => {
  const question = message as Partial<ReporterQuestion>;
  if (question.kind !== 'ask') return;
  void answer(question as ReporterQuestion).then((reply) => {
    // The demo may have gone meanwhile; the server's own 'disconnect' handler ends the process then.
    if (process.connected) process.send?.(reply, () => {});
  });
});

/** The demo was killed and cannot clean up: its folder, which this process works in, goes if nothing was left there. */
function removeFolder(): void {
  if (!basename(process.cwd()).startsWith('jem-demo-')) return;
  try {
    rmdirSync(process.cwd());
  } catch {
    // Something is in it, or it is gone.
  }
}

process.on('disconnect', () => process.on('exit', removeFolder));
