import type { StartedChild } from '../control/launch/start-child.js';
import type { CaptureReason } from '../control/profiling/follow-process.js';
import { agentsBelow } from '../control/profiling/process-tree.js';
import { type RawCapture, takeCapture } from '../control/profiling/take-capture.js';
import { JemkitError } from '../errors.js';
import { openAgent } from '../sources/agent/open-agent.js';
import type { CommandContext } from './command.js';
import type { ProfileOptions } from './profile-line.js';
import type { CaptureSubject, ProfileSession } from './profile-session.js';

/** A program that was started to be profiled. */
export interface Started {
  readonly child: StartedChild;
  readonly subject: CaptureSubject;
  readonly session: ProfileSession;
  readonly options: ProfileOptions;
  readonly who: string;
}

/** Captures, one after another, of a program and perhaps of those below it. */
export function openCaptures({ child, subject, session, options, who }: Started, { terminal }: CommandContext) {
  let queue: Promise<unknown> = Promise.resolve();
  let saidChildren = false;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };
  const sayFailure = (error: unknown) => {
    if (!(error instanceof JemkitError)) throw error;
    terminal.say(`jem: not captured: ${error.message}`);
    if (error.hint) terminal.say(`  hint: ${error.hint}`);
  };
  const takeOne = async (pid: number): Promise<RawCapture | undefined> => {
    const opening = await openAgent(pid);
    if (opening.kind !== 'open') {
      if (pid === child.pid && opening.kind !== 'gone')
        terminal.say(`jem: not captured: ${who} has no agent that answers (yet)`);
      return undefined;
    }
    try {
      return await takeCapture(opening.agent, who, session.nextRaw());
    } catch (error) {
      sayFailure(error);
      return undefined;
    } finally {
      opening.agent.close();
    }
  };
  const take = async (): Promise<RawCapture[]> => {
    const below = agentsBelow(child.pid);
    if (below.length > 0 && !options.children && !saidChildren) {
      saidChildren = true;
      terminal.say(
        `jem: ${below.length === 1 ? 'one process' : `${below.length} processes`} below it ${below.length === 1 ? 'is' : 'are'} not captured (${below.slice(0, 5).join(', ')}${below.length > 5 ? ', …' : ''}): --children`,
      );
    }
    const raws: RawCapture[] = [];
    for (const pid of options.children ? [child.pid, ...below] : [child.pid]) {
      const raw = await takeOne(pid);
      if (raw) raws.push(raw);
    }
    return raws;
  };
  const finishAll = async (raws: readonly RawCapture[], mark: string, reason: CaptureReason): Promise<void> => {
    for (const raw of raws) {
      const own = options.children ? `-${raw.pid}` : '';
      try {
        await session.finish(raw, own + mark, reason, subject);
      } catch (error) {
        sayFailure(error);
      }
    }
  };
  return {
    take: () => inTurn(take),
    finish: (raws: readonly RawCapture[], mark: string, reason: CaptureReason) =>
      inTurn(() => finishAll(raws, mark, reason)),
    captureNow: (reason: CaptureReason, isSeries = true) =>
      inTurn(async () => {
        const raws = await take();
        if (raws.length > 0) await finishAll(raws, isSeries ? session.nextMark() : '', reason);
      }),
    settled: () => queue,
  };
}

export type Captures = ReturnType<typeof openCaptures>;
