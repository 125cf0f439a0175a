import { constants } from 'node:os';
import { profilerAddon } from '../../native.js';
import { updateMallctl, writeMallctl } from '../mallctl/write-mallctl.js';
import { readProfilingState } from '../memory/profiling-switch.js';

/** What a holder asks for beyond that allocations are sampled. */
export interface ProfilingWish {
  /** -1: as it is. */
  readonly lgSample: number;
  readonly threadPool: boolean;
  /** Not where somebody outside of this library profiles the process already. */
  readonly alone: boolean;
}

/** Sampling stays on until it is closed. */
export interface ProfilingHold {
  readonly kind: 'held';
  close(): void;
}

/** Why it could not be switched on: an error number of the system. EALREADY: somebody else profiles this process. */
export interface ProfilingHoldRefusal {
  readonly kind: 'refused';
  readonly errno: number;
}

interface Holders {
  count: number;
  /** Undoes what the first of them did. */
  release: (() => void) | undefined;
  /** Begins anew with other wishes; undefined where it is not jemkit's own part that walks the stacks. */
  restart: ((wish: ProfilingWish) => number) | undefined;
}

/**
 * One owner of `prof.active` in a process: `profiler.start()` and every memory object that profiles hold it together, the last switches it off. On globalThis: a
 * thread may hold several copies of jemkit. Only the main thread holds it: others would have counts of their own of one switch.
 */
const HOLDERS = Symbol.for('jemkit.profilingHolders');
const shared = globalThis as { [HOLDERS]?: Holders };

const { EALREADY, ENOTSUP } = constants.errno;
const THREAD_POOL = 1;

const AS_IT_IS: ProfilingWish = { lgSample: -1, threadPool: false, alone: false };
const wantsMore = ({ lgSample, threadPool }: ProfilingWish) => lgSample !== -1 || threadPool;

function startNative({ lgSample, threadPool }: ProfilingWish): number {
  return profilerAddon()?.profilerStart(lgSample, threadPool ? THREAD_POOL : 0) ?? ENOTSUP;
}

/** The first holder: by jemkit's own part, so that stacks have JavaScript in them; where that is not there, by jemalloc's switch. */
function takeHold(wish: ProfilingWish): Pick<Holders, 'release' | 'restart'> | number {
  const addon = profilerAddon();
  const errno = startNative(wish);
  if (addon && errno === 0) {
    // Where the program was preloaded with jemkit/profile, this isolate listens already, and goes on to.
    const listened = addon.profilerListen() === 0;
    return {
      release() {
        addon.profilerStop();
        if (listened) addon.profilerStopListening();
      },
      restart(next) {
        addon.profilerStop();
        return startNative(next);
      },
    };
  }
  if (errno === EALREADY && wish.alone) return errno;
  if (wish.lgSample !== -1 && writeMallctl('prof.reset', wish.lgSample).kind !== 'done') return ENOTSUP;
  const before = updateMallctl('prof.active', true);
  if (before.kind !== 'value') return 'errno' in before ? before.errno : ENOTSUP;
  return {
    release: before.value ? undefined : () => void writeMallctl('prof.active', false),
    restart: undefined,
  };
}

/**
 * Has allocations sampled until the last of those who asked for it closes. Only where the process was started with `prof:true`, and in the main
 * thread.
 *
 * @param wish what was asked for last counts.
 */
export function holdProfiling(wish: ProfilingWish = AS_IT_IS): ProfilingHold | ProfilingHoldRefusal {
  if (!readProfilingState().enabled) return { kind: 'refused', errno: constants.errno.ENOENT };
  shared[HOLDERS] ??= { count: 0, release: undefined, restart: undefined };
  const holders = shared[HOLDERS];
  if (holders.count === 0) {
    const taken = takeHold(wish);
    if (typeof taken === 'number') return { kind: 'refused', errno: taken };
    Object.assign(holders, taken);
  } else {
    // Whoever switched it off meanwhile did not ask the holders.
    writeMallctl('prof.active', true);
    const errno = wantsMore(wish) ? (holders.restart?.(wish) ?? EALREADY) : 0;
    if (errno !== 0) return { kind: 'refused', errno };
  }
  holders.count++;
  let open = true;
  return {
    kind: 'held',
    close() {
      if (!open) return;
      open = false;
      if (--holders.count > 0) return;
      holders.release?.();
      Object.assign(holders, { release: undefined, restart: undefined });
    },
  };
}
