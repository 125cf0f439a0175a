/** What JavaScript inside a Node process says of its isolates: the main thread's, and those of workers that hold jemkit too. */
export interface NodeFacts {
  readonly nodeVersion: string;
  /** `Buffer.poolSize` in bytes. */
  readonly bufferPoolBytes: number;
  readonly isolates: readonly IsolateFacts[];
}

/** One isolate, all in bytes. */
export interface IsolateFacts {
  /** `worker_threads.threadId`: 0 is the main thread. */
  readonly threadId: number;
  readonly atMs: number;
  readonly heapTotalBytes: number;
  readonly heapUsedBytes: number;
  /** `total_physical_size`: what of the heap is resident, by V8's own books. */
  readonly heapPhysicalBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
  readonly heapLimitBytes: number;
  /** `v8.getHeapSpaceStatistics()`: new_space, old_space, code_space, … */
  readonly spaces: readonly HeapSpaceFacts[];
  /** Counted only when somebody asks: it stops JavaScript for a while. */
  readonly buffers?: BufferFacts;
}

/** The ArrayBuffers of an isolate that living typed arrays show, and how much of them they cover; in bytes unless a name says otherwise. */
export interface BufferFacts {
  readonly atMs: number;
  /** How many there are. */
  readonly arrayBuffers: number;
  readonly arrayBuffersBytes: number;
  /** Bytes that at least one Buffer or other typed array covers. */
  readonly viewedBytes: number;
  /** How many have exactly the size of Node's Buffer pool; the next two are of these alone. */
  readonly pools: number;
  readonly poolBytes: number;
  readonly poolViewedBytes: number;
}

/** One space of V8's heap. */
export interface HeapSpaceFacts {
  readonly name: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly physicalBytes: number;
}
