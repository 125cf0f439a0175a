/** Under what a run of the demo's server was: the C library's malloc, the same with two settings, or jemalloc. */
export type DemoVariant = 'system' | 'tuned-glibc' | 'jemalloc';

/** The parts of a run, in order: requests; nothing; a full garbage collection and nothing again. */
export type DemoPhase = 'start' | 'load' | 'idle' | 'collected';

/** RSS at a moment. */
export interface ResidentSample {
  /** Since the first request of the run. */
  readonly elapsedMs: number;
  readonly residentBytes: number;
}

/** What the server was asked to do, the same in every run. */
export interface DemoParameters {
  /** How long the first run is under load: its number of requests is what the others repeat. Undefined where `requests` is given. */
  readonly loadSeconds: number | undefined;
  /** A fixed number of requests a run. */
  readonly requests: number | undefined;
  readonly idleSeconds: number;
  readonly collectedSeconds: number;
  readonly concurrency: number;
  readonly seed: number;
}

/** What the server's own Node said at the end of a run. */
export interface ServerMemory {
  readonly heapTotalBytes: number;
  readonly heapUsedBytes: number;
  /** Buffers and what else V8 knows to be outside its heap. */
  readonly externalBytes: number;
}

/** How it was made sure which allocator served the run. */
export interface AllocatorProof {
  readonly allocator: string;
  readonly version: string | undefined;
  /** In words: what was read or tried. */
  readonly how: readonly string[];
}

/** One server under one allocator, measured. */
export interface DemoRun {
  readonly variant: DemoVariant;
  /** For people: `glibc`, `jemalloc`, `glibc tuned`. */
  readonly label: string;
  /** What its environment had beside what every run has. */
  readonly environment: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly proof: AllocatorProof;
  readonly requests: number;
  /** Answered with another status than 200. */
  readonly failedRequests: number;
  readonly loadMs: number;
  /** Of the server, while it was under load; undefined where the system does not tell. */
  readonly processorSeconds: number | undefined;
  /** One a request, in order of completion. */
  readonly latenciesMs: readonly number[];
  /** Where RSS comes from: the kernel's statm, or the server's own answer where there is no /proc. */
  readonly residentSource: 'statm' | 'server';
  readonly samples: readonly ResidentSample[];
  readonly startResidentBytes: number | undefined;
  /** The kernel's high-water mark; of the samples where it keeps none. */
  readonly peakResidentBytes: number | undefined;
  /** When the last answer was in, after the first request. */
  readonly loadEndMs: number;
  /** When the garbage collection was asked for. */
  readonly idleEndMs: number;
  /** After the collection. */
  readonly memory: ServerMemory;
}

/** The figures of one run. */
export interface DemoSummary {
  readonly variant: DemoVariant;
  readonly label: string;
  readonly peakBytes: number | undefined;
  readonly afterLoadBytes: number | undefined;
  readonly afterIdleBytes: number | undefined;
  /** After a full garbage collection: the memory of V8 and of Buffers is the same in every run by then. */
  readonly settledBytes: number | undefined;
  /** V8's heap and the Buffers, at the same moment. */
  readonly knownBytes: number;
  /** What is left of the RSS: node's own code and stacks, and what the allocator holds. */
  readonly restBytes: number | undefined;
  readonly requestsPerSecond: number;
  readonly processorMsPerRequest: number | undefined;
  readonly processorSeconds: number | undefined;
  readonly medianLatencyMs: number | undefined;
  readonly p99LatencyMs: number | undefined;
}

/** One figure of one run against the same of another. */
export interface DemoDifference {
  /** Subject over reference. */
  readonly ratio: number;
  readonly verdict: 'less' | 'more' | 'no-difference';
}

/** The figures side by side, and what they say. */
export interface DemoComparison {
  readonly summaries: readonly DemoSummary[];
  /** jemalloc over plain glibc (or the system's malloc). */
  readonly settled: DemoDifference | undefined;
  readonly peak: DemoDifference | undefined;
  readonly processor: DemoDifference | undefined;
  readonly throughput: DemoDifference | undefined;
  /** Whole sentences, the first about memory at the end. */
  readonly sentences: readonly string[];
}

/** Where it was measured. */
export interface DemoMachine {
  readonly platform: NodeJS.Platform;
  readonly architecture: string;
  readonly kernel: string;
  readonly processors: number;
  readonly processorModel: string | undefined;
  readonly memoryBytes: number;
  readonly nodeVersion: string;
  readonly libc: string | undefined;
  readonly jemkitVersion: string;
}

/** Everything the demo measured. */
export interface DemoReport {
  readonly startedAt: string;
  readonly machine: DemoMachine;
  readonly parameters: DemoParameters;
  /** The preloaded library. */
  readonly library: string;
  /** What every server was started as. */
  readonly commandLine: readonly string[];
  readonly runs: readonly DemoRun[];
  readonly comparison: DemoComparison;
  /** What was not measured, and why. */
  readonly notes: readonly string[];
}
