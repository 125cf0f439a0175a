import { resolve } from 'node:path';
import type { CaptureOutcome, CaptureTrigger } from '../../model/profiler-outcome.js';
import { checkOptions, type OptionKinds, refuseOption, writtenOut } from '../memory/check-options.js';

/** Options of `profiler.start()`. All may be left out. */
export interface ProfilerOptions {
  /**
   * The mean distance between two sampled allocations in bytes: from 1 KiB to 1 GiB, made the nearest power of two. Left out it is what MALLOC_CONF says
   * (`lg_prof_sample`), or 512 KiB. Smaller is more exact and costs more; setting it forgets what was sampled before.
   */
  readonly sampleBytes?: number | undefined;
  /**
   * Work of libuv's thread pool is to be put down to the JavaScript that asked for it; default false: to `(thread pool)`. It can only be had where the process was
   * started with it (`jem profile --thread-pool`, or JEMKIT_PROFILE_THREAD_POOL=1 for `jem run`); the outcome says whether it is.
   */
  readonly threadPool?: boolean | undefined;
  /** A capture is written each time the process has allocated so many bytes; looked at four times a second. At least 1 MiB. */
  readonly everyBytes?: number | undefined;
  /** A capture is written each so many milliseconds; at least 100. */
  readonly everyMs?: number | undefined;
  /** A capture is written when allocated memory is a tenth, and 1 MiB, above where the last one of these was; looked at four times a second. */
  readonly atPeak?: boolean | undefined;
  /** A capture is written when the process receives this signal (SIGUSR1 is the debugger's). After `stop()` the signal ends the process again. */
  readonly signal?: 'SIGUSR2' | undefined;
  /** Where those captures go: `jemkit-PID-TIME.heap`. Default: the working directory at this moment. */
  readonly folder?: string | undefined;
  /** How many of them are kept, the latest; default 10. */
  readonly keep?: number | undefined;
  /** Told of each of them; without it what went wrong is a warning of the process, once. */
  readonly onCapture?: ((outcome: CaptureOutcome, trigger: CaptureTrigger) => void) | undefined;
}

/** The options with their defaults. */
export interface CheckedProfilerOptions extends ProfilerOptions {
  /** -1: as it is. */
  readonly lgSample: number;
  readonly folder: string;
  readonly keep: number;
}

const HERE = { caller: 'profiler.start' };

const KINDS: OptionKinds<ProfilerOptions> = {
  sampleBytes: ['number'],
  threadPool: ['boolean'],
  everyBytes: ['number'],
  everyMs: ['number'],
  atPeak: ['boolean'],
  signal: ['string'],
  folder: ['string'],
  keep: ['number'],
  onCapture: ['function'],
};

/** A timer of more milliseconds fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function checkNumber(name: string, value: number | undefined, low: number, high: number): void {
  if (value === undefined || (Number.isFinite(value) && value >= low && value <= high)) return;
  refuseOption(HERE, `${name} is ${value} (expected a number from ${low} to ${high})`);
}

/**
 * Fills in the defaults.
 *
 * @throws JemkitError ERR_JEM_USAGE
 */
export function checkProfilerOptions(options: ProfilerOptions): CheckedProfilerOptions {
  checkOptions(HERE, options, KINDS);
  const { sampleBytes, everyBytes, everyMs, signal, folder = '.', keep = 10 } = options;
  checkNumber('sampleBytes', sampleBytes, 1024, 2 ** 30);
  checkNumber('everyBytes', everyBytes, 2 ** 20, Number.MAX_SAFE_INTEGER);
  checkNumber('everyMs', everyMs, 100, LONGEST_TIMER_MS);
  checkNumber('keep', keep, 1, 10_000);
  if (!Number.isInteger(keep)) refuseOption(HERE, `keep is ${keep} (expected a whole number)`);
  // The types say so; who calls from JavaScript has none.
  if (signal !== undefined && signal !== 'SIGUSR2')
    refuseOption(HERE, `signal is ${writtenOut(signal)} (expected 'SIGUSR2')`);
  if (folder === '' || folder.includes('\0'))
    refuseOption(HERE, `folder is ${writtenOut(folder)} (expected the path of a folder)`);
  const lgSample = sampleBytes === undefined ? -1 : Math.round(Math.log2(sampleBytes));
  return { ...options, lgSample, folder: resolve(folder), keep };
}
