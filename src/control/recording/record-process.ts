import { availableParallelism } from 'node:os';
import { JemkitError } from '../../errors.js';
import type { AgentAbsence } from '../../model/agent.js';
import type { MemorySample } from '../../model/memory-sample.js';
import type { RecordingEnd, RecordingEvent, RecordingHead } from '../../model/recording.js';
import { readHost } from '../../sources/process/read-host.js';
import type { RecordingFile } from './recording-file.js';
import { type SamplingRequest, sampleProcess } from './sample-process.js';

/** What a recording's head says of a process and of the machine at this moment. */
export function readRecordingHead(
  target: { readonly pid: number; readonly command: string },
  intervalMs: number,
  jemkitVersion: string,
): RecordingHead {
  const host = readHost(target.pid, process.env);
  return {
    jemkitVersion,
    pid: target.pid,
    command: target.command,
    startedAtMs: Date.now(),
    intervalMs,
    host: {
      kernelRelease: host.kernelRelease,
      distribution: host.distribution,
      architecture: process.arch,
      processors: availableParallelism(),
      memoryBytes: host.memoryBytes,
      memoryLimitBytes: host.memoryLimit?.bytes,
    },
  };
}

/** What a recording is made of, and who hears of it meanwhile. */
export interface RecordRequest extends Pick<SamplingRequest, 'pid' | 'intervalMs' | 'durationMs' | 'signal'> {
  /** Undefined: nothing is written, the samples are only handed on. */
  readonly file: RecordingFile | undefined;
  readonly onSample: (sample: MemorySample) => void;
  readonly onAbsence: (absence: AgentAbsence, sinceStartMs: number) => void;
  readonly onEvent?: (event: RecordingEvent) => void;
}

/** What a recording came to, in short. */
export interface RecordOutcome {
  readonly samples: number;
  readonly spanMs: number;
  readonly firstBytes: number | undefined;
  readonly lastBytes: number | undefined;
  readonly peakBytes: number | undefined;
  readonly end: RecordingEnd;
  /** The disk did not take any more; what was written before is whole. */
  readonly failure: JemkitError | undefined;
}

/** Samples a process into a file until it ends, the time is over, the signal says so, or the disk is full. */
export async function recordProcess(request: RecordRequest): Promise<RecordOutcome> {
  const { file, onSample, onEvent } = request;
  let samples = 0;
  let [firstMs, lastMs] = [0, 0];
  let [firstBytes, lastBytes, peakBytes]: (number | undefined)[] = [];
  const note = (event: RecordingEvent) => {
    file?.note(event);
    onEvent?.(event);
  };
  const outcome = (end: RecordingEnd, failure?: JemkitError): RecordOutcome => {
    return { samples, spanMs: lastMs - firstMs, firstBytes, lastBytes, peakBytes, end, failure };
  };
  try {
    const end = await sampleProcess({
      ...request,
      onSample(sample) {
        file?.append(sample);
        if (samples++ === 0) firstMs = sample.monotonicMs;
        lastMs = sample.monotonicMs;
        const { residentBytes } = sample.process;
        firstBytes ??= residentBytes;
        lastBytes = residentBytes ?? lastBytes;
        if (residentBytes !== undefined) peakBytes = Math.max(peakBytes ?? 0, residentBytes);
        onSample(sample);
      },
      onAgent: ({ hello }) => note({ kind: 'agent', atMs: Date.now(), jemallocVersion: hello.jemallocVersion }),
      onAgentLost: () => note({ kind: 'agent-lost', atMs: Date.now() }),
      onExec: (command) => note({ kind: 'exec', atMs: Date.now(), command }),
    });
    return outcome(end);
  } catch (error) {
    if (error instanceof JemkitError && error.code === 'ERR_JEM_FILE') return outcome('stopped', error);
    throw error;
  }
}
