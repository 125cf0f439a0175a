import type { LaunchPlan } from '../../model/launch-plan.js';
import { quoteForShell } from './shell-quote.js';

/** A plan as a command line that a POSIX shell can run, with a comment on where the library is from. */
export function renderLaunchPlan(plan: LaunchPlan, words: readonly string[]): string {
  const lines: string[] = [];
  if (plan.fallback) lines.push(`# without ${plan.allocator}: ${plan.fallback.cause}; remedy: ${plan.fallback.remedy}`);
  if (plan.library) {
    const proof =
      plan.probe?.kind === 'works'
        ? `; a start of ${plan.program.interpreter} with it was tried: ${plan.probe.serving} ${plan.probe.version ?? ''} serves`
        : plan.probe?.kind === 'untried'
          ? `; not tried: ${plan.probe.reason}`
          : '';
    lines.push(`# ${plan.library.path} (found by: ${plan.librarySource})${proof}`);
  }
  if (plan.agent.kind === 'preloaded') {
    const where = plan.agent.mode === 'auto' ? 'the programs it was proven on' : 'every program';
    lines.push(`# ${plan.agent.path} is the agent, which acts in ${where}`);
  }
  if (plan.agent.kind === 'left-out' && !plan.fallback) {
    lines.push(`# without the agent: ${plan.agent.cause}; remedy: ${plan.agent.remedy}`);
  }
  const { profiling } = plan;
  if (profiling.kind === 'ready')
    lines.push('# prof:true,prof_active:false: profiling is off, and jem profile PID can switch it on');
  if (profiling.kind === 'as-configured') lines.push(`# profiling as configured: ${profiling.option}`);
  if (profiling.kind === 'left-out') lines.push(`# jem profile will not work on it: ${profiling.cause}`);
  const removed = Object.keys(plan.environment).filter((name) => plan.environment[name] === undefined);
  const set = Object.entries(plan.environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoteForShell(value)}`],
  );
  const shell = plan.program.throughShell
    ? ['/bin/sh', plan.program.path, ...words.slice(1)]
    : [plan.program.path, ...words.slice(1)];
  const env = removed.length > 0 ? ['env', ...removed.flatMap((name) => ['-u', name])] : [];
  lines.push([...env, ...set, ...shell.map(quoteForShell)].join(' '));
  return lines.join('\n');
}
