import { findProfilingLibrary } from '../control/profiling/find-profiling-library.js';
import { JemkitError } from '../errors.js';
import type { LaunchPlan } from '../model/launch-plan.js';
import { quoteForShell } from '../outputs/text/shell-quote.js';
import type { CommandContext } from './command.js';
import type { ProfileOptions } from './profile-line.js';

/** jemalloc's own, 512 KiB. */
export const DEFAULT_LG_SAMPLE = 19;

/** MALLOC_CONF that samples from the first allocation on. */
export function profilingConf({ sampleBytes, accum }: ProfileOptions): string {
  const lgSample = sampleBytes?.lgSample ?? DEFAULT_LG_SAMPLE;
  return `prof:true,prof_active:true,lg_prof_sample:${lgSample}${accum ? ',prof_accum:true' : ''}`;
}

/** @throws JemkitError where nothing could be captured. */
export function requireProfilingPlan(plan: LaunchPlan, words: readonly string[], { terminal }: CommandContext): void {
  const command = words.map(quoteForShell).join(' ');
  if (plan.fallback) {
    throw new JemkitError(
      'ERR_JEM_LIBRARY_UNUSABLE',
      `not started, as it cannot be profiled without jemalloc: ${plan.fallback.cause}`,
      {
        hint: plan.fallback.remedy,
        details: { reason: plan.fallback.reason },
      },
    );
  }
  if (plan.probe?.kind === 'works' && plan.probe.answers['config.prof'] !== 'true') {
    const other = findProfilingLibrary(process.env);
    throw new JemkitError(
      'ERR_JEM_NO_PROFILING',
      `not started: ${plan.library?.path ?? 'this jemalloc'} was built without profiling`,
      {
        hint: other
          ? `${other} has it: jem profile --library ${other} -- ${command}`
          : 'use a library built with --enable-prof, as Debian’s and Ubuntu’s libjemalloc2: jem install',
        details: { library: plan.library?.path },
      },
    );
  }
  if (plan.agent.kind === 'left-out') {
    terminal.say(
      `jem: nothing can be captured before its end, without the agent: ${plan.agent.cause}; remedy: ${plan.agent.remedy}`,
    );
  }
}
