import { type GrowthWindow, openGrowthWindow } from '../../analyses/growth-window.js';
import { WATCH_START, type WatchRules, watchLimit } from '../../analyses/watch-limit.js';
import type { MemorySample } from '../../model/memory-sample.js';
import { MEMORY_SERIES, type MemorySeriesName } from '../../model/memory-series.js';
import type { RecordingEnd } from '../../model/recording.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { readProcessSample } from '../../sources/agent/read-sample.js';
import { sampleProcess } from '../recording/sample-process.js';
import { type ActionOutcome, performAction, type WatchAction } from './watch-actions.js';

/** What happens in a watch, in order. Bytes are those of the figure that is watched; where its growth is, per hour. */
export type WatchEvent = { readonly atMs: number } & (
  | { readonly kind: 'over' | 'under'; readonly bytes: number }
  | ({
      readonly kind: 'action';
      readonly action: WatchAction['kind'];
      readonly beforeBytes: number | undefined;
      readonly afterBytes: number | undefined;
      readonly tookMs: number;
    } & ActionOutcome)
  | { readonly kind: 'agent-lost' | 'agent' }
  | { readonly kind: 'end'; readonly reason: RecordingEnd | 'times'; readonly actions: number }
);

/** What is watched, against what, and what is done. */
export interface WatchRequest {
  readonly pid: number;
  readonly series: MemorySeriesName;
  readonly intervalMs: number;
  readonly rules: WatchRules;
  /** The limit is on the growth over this long, in bytes per hour, and not on the figure itself. */
  readonly growthWindowMs: number | undefined;
  readonly action: WatchAction;
  /** Ends after so many actions. */
  readonly times: number | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: WatchEvent) => void;
}

/** Watches until the process ends, the signal says so, or as many actions as wanted are done. Gives how many were. */
export async function watchProcess(
  request: WatchRequest,
): Promise<{ readonly end: RecordingEnd | 'times'; readonly actions: number }> {
  const { pid, series, rules, action, times = Number.POSITIVE_INFINITY, onEvent } = request;
  const figure = MEMORY_SERIES[series].of;
  const growth: GrowthWindow | undefined =
    request.growthWindowMs === undefined ? undefined : openGrowthWindow(request.growthWindowMs);
  const enough = new AbortController();
  const signal = AbortSignal.any([request.signal, enough.signal]);
  let state = WATCH_START;
  let running: Promise<void> | undefined;
  let actions = 0;

  const act = async (agent: AgentConnection | undefined, sample: MemorySample, bytes: number): Promise<void> => {
    const startedMs = performance.now();
    const moment = { pid, bytes, limitBytes: rules.limitBytes, series, atMs: sample.atMs };
    const outcome = await performAction(action, agent, moment, request.signal);
    const tookMs = performance.now() - startedMs;
    // Who answers may have gone with the action; the kernel's figures are to be had all the same.
    const after = await readProcessSample(pid, agent).catch(() => readProcessSample(pid, undefined));
    if (outcome.done) actions++;
    onEvent({
      kind: 'action',
      atMs: Date.now(),
      action: action.kind,
      beforeBytes: figure(sample),
      afterBytes: after && figure(after),
      tookMs,
      ...outcome,
    });
    if (actions >= times) enough.abort();
  };

  const end = await sampleProcess({
    pid,
    intervalMs: request.intervalMs,
    signal,
    onSample(sample, agent) {
      const measured = figure(sample);
      const bytes = measured === undefined || !growth ? measured : growth.add(measured, sample.monotonicMs);
      if (bytes === undefined || enough.signal.aborted) return;
      const step = watchLimit(state, bytes, sample.monotonicMs, rules);
      if (step.crossing) onEvent({ kind: step.crossing, atMs: sample.atMs, bytes });
      if (step.act && running) {
        // The one before is still at work: this one waits for it.
        state = { ...step.state, due: true, lastActionMs: state.lastActionMs };
        return;
      }
      state = step.state;
      if (!step.act) return;
      running = act(agent, sample, bytes).finally(() => {
        running = undefined;
      });
      return action.kind === 'exec' ? undefined : running;
    },
    onAgent: () => onEvent({ kind: 'agent', atMs: Date.now() }),
    onAgentLost: () => onEvent({ kind: 'agent-lost', atMs: Date.now() }),
  });
  await running;
  const why = enough.signal.aborted ? 'times' : end;
  onEvent({ kind: 'end', atMs: Date.now(), reason: why, actions });
  return { end: why, actions };
}
