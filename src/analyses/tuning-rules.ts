import type { TuningKey, TuningRule } from '../model/tuning.js';
import type { TuningLoad, TuningObservation, TuningSettings } from './tuning-load.js';
import type { TuningOptions } from './tuning-options.js';

/** A step that a rule asks for. */
export interface TuningProposal {
  readonly key: TuningKey;
  readonly rule: TuningRule;
  readonly from: number | boolean | undefined;
  readonly to: number | boolean | undefined;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, number>>;
  /** Toward more purging, or less. */
  readonly direction: 'more' | 'less';
}

const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** What the rules go by. */
export interface TuningView {
  readonly now: TuningObservation;
  readonly load: TuningLoad;
  /** As found at the start. */
  readonly found: TuningSettings;
  /** Since the last step, in milliseconds of the tuner's clock. */
  readonly quietMs: number;
  /** This idle time was purged already. */
  readonly purgedIdle: boolean;
}

type DecayKey = 'dirty_decay_ms' | 'muzzy_decay_ms';

const boundsOf = (key: DecayKey, options: TuningOptions) =>
  key === 'dirty_decay_ms' ? options.dirtyDecayMs : options.muzzyDecayMs;

/** Below a tenth of a second there is only at once. */
const SHORTEST_MS = 100;

/** Half of what it is, or twice, within the bounds; undefined where there is no room to move. */
export function movedDecay(
  key: DecayKey,
  from: number | undefined,
  direction: 'more' | 'less',
  options: TuningOptions,
): number | undefined {
  if (from === undefined) return undefined;
  const [least, most] = boundsOf(key, options);
  // Never, or beyond the bounds: purging more begins at the bound. Purging less has nowhere to go.
  if (from === -1 || from > most) return direction === 'more' ? most : undefined;
  const half = from / 2 < SHORTEST_MS ? 0 : Math.round(from / 2);
  const wanted = direction === 'more' ? half : Math.max(SHORTEST_MS, from * 2);
  const to = Math.min(most, Math.max(least, wanted));
  return direction === 'more' ? (to < from ? to : undefined) : to > from ? to : undefined;
}

const isIdle = ({ load }: TuningView, options: TuningOptions) =>
  load.allocationsPerSecond < options.idleAllocationsPerSecond && load.processorShare < options.idleProcessorShare;

type Rule = (view: TuningView, options: TuningOptions) => TuningProposal | undefined;

function decayStep(
  key: DecayKey,
  direction: 'more' | 'less',
  view: TuningView,
  options: TuningOptions,
  because: Pick<TuningProposal, 'rule' | 'reason' | 'evidence'>,
): TuningProposal | undefined {
  const from = view.now.settings[key];
  const to = movedDecay(key, from, direction, options);
  return to === undefined ? undefined : { key, from, to, direction, ...because };
}

/** Near the limit, unused pages go back sooner: first muzzy ones, which cost less to do without. */
const nearLimit: Rule = (view, options) => {
  const { usedShare, dirtyBytes, muzzyBytes } = view.now;
  if (usedShare === undefined || usedShare < options.nearLimit) return undefined;
  const because = (what: string, bytes: number) => ({
    rule: 'near-limit' as const,
    reason: `${Math.round(usedShare * 100)} % of the memory limit is used, and ${mib(bytes)} of ${what} pages lie unused`,
    evidence: { usedShare, [`${what}Bytes`]: bytes },
  });
  if ((muzzyBytes ?? 0) >= options.leastDirtyBytes) {
    const step = decayStep('muzzy_decay_ms', 'more', view, options, because('muzzy', muzzyBytes!));
    if (step) return step;
  }
  if ((dirtyBytes ?? 0) < options.leastDirtyBytes) return undefined;
  return decayStep('dirty_decay_ms', 'more', view, options, because('dirty', dirtyBytes!));
};

/** An idle process purges only by background threads. */
const backgroundOn: Rule = (view, options) => {
  const { settings, dirtyBytes } = view.now;
  if (!options.backgroundThread || settings.background_thread !== false) return undefined;
  if ((dirtyBytes ?? 0) < options.leastDirtyBytes || !isIdle(view, options) || view.load.sweepsPerSecond > 0)
    return undefined;
  return {
    key: 'background_thread',
    rule: 'background-on',
    from: false,
    to: true,
    direction: 'more',
    reason: `the process is idle, nothing was purged, and ${mib(dirtyBytes!)} of dirty pages lie unused`,
    evidence: { dirtyBytes: dirtyBytes!, allocationsPerSecond: view.load.allocationsPerSecond, sweepsPerSecond: 0 },
  };
};

/** Where no background thread may do it, and decay takes long, the tuner purges: once per time of idleness. */
const idlePurge: Rule = (view, options) => {
  const { settings, dirtyBytes, muzzyBytes } = view.now;
  const unused = (dirtyBytes ?? 0) + (muzzyBytes ?? 0);
  const { dirty_decay_ms: decayMs, background_thread: background } = settings;
  const slow = background !== true || decayMs === -1 || (decayMs ?? 0) >= 30_000;
  if (!options.idlePurge || view.purgedIdle || !slow) return undefined;
  if (unused < options.leastDirtyBytes || !isIdle(view, options)) return undefined;
  return {
    key: 'purge',
    rule: 'idle-purge',
    from: undefined,
    to: undefined,
    direction: 'more',
    reason: `the process is idle and ${mib(unused)} lie unused`,
    evidence: { unusedBytes: unused, allocationsPerSecond: view.load.allocationsPerSecond },
  };
};

/** Many dirty pages that stay although little is allocated. */
const dirtyShare: Rule = (view, options) => {
  const { dirtyBytes, activeBytes, settings } = view.now;
  // Where nobody allocates and there is no background thread, no decay time makes anybody purge.
  if (settings.background_thread !== true && isIdle(view, options)) return undefined;
  if (dirtyBytes === undefined || activeBytes === undefined || dirtyBytes < options.leastDirtyBytes) return undefined;
  const { purgedBytesPerSecond } = view.load;
  if (dirtyBytes < activeBytes * options.dirtyShare || purgedBytesPerSecond > options.churnBytesPerSecond / 4)
    return undefined;
  return decayStep('dirty_decay_ms', 'more', view, options, {
    rule: 'dirty-share',
    reason: `${mib(dirtyBytes)} of dirty pages lie unused beside ${mib(activeBytes)} in use, and little is purged`,
    evidence: { dirtyBytes, activeBytes, purgedBytesPerSecond },
  });
};

/** With room, pages that are purged only to be faulted in again are kept longer. */
const churn: Rule = (view, options) => {
  const { usedShare } = view.now;
  const { purgedBytesPerSecond } = view.load;
  if (purgedBytesPerSecond < options.churnBytesPerSecond || (usedShare ?? 0) >= options.roomy) return undefined;
  return decayStep('dirty_decay_ms', 'less', view, options, {
    rule: 'churn',
    reason: `${mib(purgedBytesPerSecond)} are purged per second, most likely to be used again at once, and there is room`,
    evidence: { purgedBytesPerSecond, ...(usedShare !== undefined && { usedShare }) },
  });
};

/** Threads that wake often and give little back are not worth their wake-ups. */
const backgroundOff: Rule = (view, options) => {
  const { settings, usedShare } = view.now;
  if (!options.backgroundThread || settings.background_thread !== true) return undefined;
  const { backgroundRunsPerSecond, purgedBytesPerSecond } = view.load;
  if (backgroundRunsPerSecond < 20 || (usedShare ?? 0) >= options.roomy) return undefined;
  const bytesPerRun = purgedBytesPerSecond / backgroundRunsPerSecond;
  if (bytesPerRun >= 16_384) return undefined;
  return {
    key: 'background_thread',
    rule: 'background-off',
    from: true,
    to: false,
    direction: 'less',
    reason: `background threads woke ${Math.round(backgroundRunsPerSecond)} times a second and gave back ${Math.round(bytesPerRun)} bytes each time`,
    evidence: { backgroundRunsPerSecond, bytesPerRun },
  };
};

/** With room and nothing to do, a setting goes back toward where it was found. */
const goBack: Rule = (view, options) => {
  const { settings, usedShare } = view.now;
  if (view.quietMs < options.returnAfterMs || (usedShare ?? 0) >= options.roomy) return undefined;
  for (const key of ['dirty_decay_ms', 'muzzy_decay_ms'] as const) {
    const from = settings[key];
    const found = view.found[key];
    if (from === undefined || found === undefined || from === found) continue;
    const goal = found === -1 ? Infinity : found;
    const direction = from < goal ? 'less' : 'more';
    const moved = movedDecay(key, from, direction, options) ?? found;
    const to = direction === 'less' ? (moved >= goal || moved === from ? found : moved) : Math.max(moved, found);
    return {
      key,
      rule: 'return',
      from,
      to,
      direction,
      reason: `nothing needed doing for ${Math.round(options.returnAfterMs / 60_000)} minutes: back toward ${found} ms, as it was found`,
      evidence: { quietMs: view.quietMs, ...(usedShare !== undefined && { usedShare }) },
    };
  }
  return undefined;
};

/** In the order in which they are asked; the first that wants something is heard. */
export const TUNING_RULES: readonly Rule[] = [
  nearLimit,
  backgroundOn,
  idlePurge,
  dirtyShare,
  churn,
  backgroundOff,
  goBack,
];
