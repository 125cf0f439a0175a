import type { IsolateFacts, NodeFacts } from '../../model/node-facts.js';

const { getHeapSpaceStatistics, getHeapStatistics } = process.getBuiltinModule('node:v8');
const { threadId } = process.getBuiltinModule('node:worker_threads');

let poolBytes: number | undefined;

/** What one of Node's Buffer pools takes of malloc: `Buffer.poolSize`, to which Node 26 adds 64 bytes. */
export function readBufferPoolBytes(): number {
  if (poolBytes === undefined) {
    const { byteLength } = Buffer.allocUnsafe(1).buffer;
    poolBytes = byteLength > 1 ? byteLength : Buffer.poolSize;
  }
  return poolBytes;
}

/** What V8 says of the isolate that calls, in about 15 µs. */
export function readIsolateFacts(): IsolateFacts {
  const heap = getHeapStatistics();
  return {
    threadId,
    atMs: Date.now(),
    heapTotalBytes: heap.total_heap_size,
    heapUsedBytes: heap.used_heap_size,
    heapPhysicalBytes: heap.total_physical_size,
    externalBytes: heap.external_memory,
    arrayBuffersBytes: process.memoryUsage().arrayBuffers,
    heapLimitBytes: heap.heap_size_limit,
    spaces: getHeapSpaceStatistics()
      .filter(({ space_size }) => space_size > 0)
      .map((space) => ({
        name: space.space_name,
        sizeBytes: space.space_size,
        usedBytes: space.space_used_size,
        physicalBytes: space.physical_space_size,
      })),
  };
}

/** What JavaScript can say of this process's memory: the isolate that calls, and Node's Buffer pool. */
export function readNodeFacts(): NodeFacts {
  return { nodeVersion: process.version, bufferPoolBytes: readBufferPoolBytes(), isolates: [readIsolateFacts()] };
}
