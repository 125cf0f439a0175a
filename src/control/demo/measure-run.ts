import { setTimeout as sleep } from 'node:timers/promises';
import { JemkitError } from '../../errors.js';
import type { DemoParameters, DemoPhase, DemoRun, DemoVariant, ResidentSample } from '../../model/demo.js';
import { readProcessorTime } from '../../sources/procfs/processor-time.js';
import { readPeakResidentBytes, readResidentBytes } from '../../sources/procfs/resident-memory.js';
import { runLoad } from './load.js';
import { proveAllocator } from './prove-allocator.js';
import { openRequestSequence } from './request-sequence.js';
import { type DemoServer, startServer } from './server-process.js';

const SAMPLE_INTERVAL_MS = 100;

/** What a run is doing now. */
export interface DemoProgress {
  readonly label: string;
  readonly phase: DemoPhase;
  readonly requestsDone: number;
  /** How many there will be, where that is fixed. */
  readonly requestsInAll: number | undefined;
  readonly residentBytes: number | undefined;
}

/** One run: which server, under what, and how it is loaded. */
export interface RunRequest {
  readonly variant: DemoVariant;
  readonly label: string;
  readonly commandLine: readonly string[];
  /** All of the server's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The part of it that this variant adds. */
  readonly added: Readonly<Record<string, string>>;
  /** Its working directory. */
  readonly folder: string;
  readonly parameters: DemoParameters;
  /** Undefined: as many as fit into `parameters.loadSeconds`. */
  readonly requests: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: DemoProgress) => void;
}

/** Reads RSS at a fixed pace until it is stopped; through the server itself where there is no /proc. */
function openSampler(server: DemoServer, hasProc: boolean, onSample: (residentBytes: number) => void) {
  const samples: ResidentSample[] = [];
  const startedAt = performance.now();
  let asking = false;
  const keep = (residentBytes: number | undefined, at: number) => {
    if (residentBytes === undefined) return;
    samples.push({ elapsedMs: Math.round(at - startedAt), residentBytes });
    onSample(residentBytes);
  };
  const take = () => {
    const at = performance.now();
    if (hasProc) return keep(readResidentBytes(server.pid), at);
    if (asking) return;
    asking = true;
    server
      .ask(false)
      .then((answer) => keep(answer.residentBytes, performance.now()))
      // The run itself meets the same error and reports it.
      .catch(() => {})
      .finally(() => {
        asking = false;
      });
  };
  take();
  const timer = setInterval(take, SAMPLE_INTERVAL_MS);
  return {
    samples,
    elapsedMs: () => Math.round(performance.now() - startedAt),
    take,
    stop: () => clearInterval(timer),
  };
}

async function measure(server: DemoServer, request: RunRequest): Promise<DemoRun> {
  const { parameters, signal, label } = request;
  const hasProc = readResidentBytes(server.pid) !== undefined;
  const before = await server.ask(false);
  const proof = proveAllocator(server.pid, before, request.variant);
  const startResidentBytes = hasProc ? readResidentBytes(server.pid) : before.residentBytes;
  const processorBefore = readProcessorTime(server.pid);

  let phase: DemoPhase = 'load';
  let requestsDone = 0;
  const sampler = openSampler(server, hasProc, (residentBytes) =>
    request.onProgress({ label, phase, requestsDone, requestsInAll: request.requests, residentBytes }),
  );
  try {
    const load = await runLoad({
      address: server.address,
      next: openRequestSequence(parameters.seed),
      concurrency: parameters.concurrency,
      requests: request.requests,
      seconds: request.requests === undefined ? parameters.loadSeconds : undefined,
      signal,
      onRequest: (done) => {
        requestsDone = done;
      },
    });
    sampler.take();
    const loadEndMs = sampler.elapsedMs();
    const afterLoad = readProcessorTime(server.pid);
    const asked =
      afterLoad === undefined ? (await server.ask(false)).processorSeconds - before.processorSeconds : undefined;
    const processorSeconds =
      afterLoad && processorBefore
        ? afterLoad.userSeconds + afterLoad.systemSeconds - processorBefore.userSeconds - processorBefore.systemSeconds
        : asked;
    const highWaterBytes = readPeakResidentBytes(server.pid);

    phase = 'idle';
    await sleep(parameters.idleSeconds * 1000, undefined, { signal });
    sampler.take();
    const idleEndMs = sampler.elapsedMs();
    phase = 'collected';
    await server.ask(true);
    await sleep(parameters.collectedSeconds * 1000, undefined, { signal });
    sampler.take();
    const after = await server.ask(false);

    return {
      variant: request.variant,
      label,
      environment: request.added,
      pid: server.pid,
      proof,
      requests: load.requests,
      failedRequests: load.failedRequests,
      loadMs: load.loadMs,
      processorSeconds,
      latenciesMs: load.latenciesMs,
      residentSource: hasProc ? 'statm' : 'server',
      samples: sampler.samples,
      startResidentBytes,
      peakResidentBytes: highWaterBytes ?? highest(sampler.samples),
      loadEndMs,
      idleEndMs,
      memory: {
        heapTotalBytes: after.heapTotalBytes,
        heapUsedBytes: after.heapUsedBytes,
        externalBytes: after.externalBytes,
      },
    };
  } finally {
    sampler.stop();
  }
}

function highest(samples: readonly ResidentSample[]): number | undefined {
  return samples.length === 0 ? undefined : Math.max(...samples.map(({ residentBytes }) => residentBytes));
}

/**
 * Starts the server, loads it, leaves it alone, lets it collect its garbage, and stops it, whatever happens.
 *
 * @throws JemkitError ERR_JEM_DEMO_SERVER where it does not start or ends too early; the signal's reason where that stops it.
 */
export async function measureRun(request: RunRequest): Promise<DemoRun> {
  const { label, commandLine, environment, folder, signal } = request;
  request.onProgress({
    label,
    phase: 'start',
    requestsDone: 0,
    requestsInAll: request.requests,
    residentBytes: undefined,
  });
  const server = await startServer({ commandLine, environment, folder, label, signal });
  try {
    return await measure(server, request);
  } catch (error) {
    if (signal.aborted) throw error;
    // A connection that breaks is most often the server's end: that is the news, and stderr has the reason.
    const failure = await server.failureWithin(500);
    if (failure) throw failure;
    if (error instanceof JemkitError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new JemkitError('ERR_JEM_DEMO_SERVER', `the demo's server under ${label} stopped answering: ${message}`, {
      hint: 'try the same again with --quick, or with fewer connections: --concurrency 2',
      cause: error,
    });
  } finally {
    await server.stop();
  }
}
