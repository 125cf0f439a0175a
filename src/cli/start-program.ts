import { agentModeOf } from '../control/launch/plan-agent.js';
import { planLaunch } from '../control/launch/plan-launch.js';
import { presetConf } from '../control/launch/preset-conf.js';
import { replaceProcess, runAsChild } from '../control/launch/replace-process.js';
import { isSystemError, JemkitError } from '../errors.js';
import type { AgentMode, LaunchPlan } from '../model/launch-plan.js';
import { quoteForShell } from '../outputs/text/shell-quote.js';
import { readCommandLine } from '../sources/procfs/process-strings.js';
import type { CommandContext } from './command.js';
import type { ProgramOptions } from './run-line.js';

/** The program's own arguments as bytes: Node's strings have lost what was no UTF-8. */
function rawArguments(words: readonly string[]): Buffer[] {
  try {
    const all = readCommandLine('self');
    if (all.length >= words.length) return all.slice(all.length - words.length);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  return words.map((word) => Buffer.from(word));
}

/** `--conf` is typed by a person who is there to correct it: what jemalloc would ignore, or die of, is refused. */
export function checkConf(conf: string, plan: LaunchPlan, context: CommandContext): void {
  if (plan.allocator !== 'jemalloc') {
    throw new JemkitError('ERR_JEM_USAGE', `--conf sets options of jemalloc, not of ${plan.allocator}`, {
      hint: 'leave --conf out, or --allocator',
    });
  }
  const { checkMallocConf } = context.load(
    '../analyses/check-malloc-conf.js',
  ) as typeof import('../analyses/check-malloc-conf.js');
  const version = plan.probe?.kind === 'works' ? plan.probe.version : undefined;
  const problems = checkMallocConf(conf, { version, platform: process.platform }).filter(
    ({ severity }) => severity === 'problem',
  );
  const [first] = problems;
  if (!first) return;
  const check = `jem conf check ${quoteForShell(conf)}`;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new JemkitError('ERR_JEM_MALLOC_CONF', `--conf: ${first.title}${more}`, {
    hint: first.remedy ? `${first.remedy}   (all about it: ${check})` : check,
    details: { conf, problems: problems.map(({ title }) => title) },
  });
}

function sayFallback(plan: LaunchPlan, options: ProgramOptions, context: CommandContext): void {
  if (!plan.fallback) return;
  const { cause, remedy } = plan.fallback;
  if (options.fallback === 'fail') {
    throw new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', `not started: ${cause}`, {
      hint: remedy,
      details: { reason: plan.fallback.reason },
    });
  }
  if (options.fallback === 'warn') {
    context.terminal.say(`jem: started without ${plan.allocator}: ${cause}; remedy: ${remedy}`);
  }
}

function agentMode({ agent }: ProgramOptions): AgentMode {
  if (agent === undefined) return agentModeOf(process.env, 'auto');
  return agent ? 'always' : 'off';
}

/** Who asked for the agent must hear of it; who did not finds it in `--print`. Without jemalloc that has been said already. */
function sayWithoutAgent({ agent, fallback }: LaunchPlan, options: ProgramOptions, context: CommandContext): void {
  if (agent.kind !== 'left-out' || agent.mode !== 'always' || fallback) return;
  const { cause, remedy, reason } = agent;
  if (options.fallback === 'fail') {
    throw new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', `not started, as the agent would be missing: ${cause}`, {
      hint: remedy,
      details: { reason },
    });
  }
  if (options.fallback === 'warn') {
    context.terminal.say(`jem: started without the agent: ${cause}; remedy: ${remedy}`);
  }
}

/**
 * Becomes the program, under the allocator asked for.
 *
 * @param words the program and its arguments.
 * @returns only where there is nothing to become: `--print`, or without the native part, where the program runs as a child.
 * @throws JemkitError ERR_JEM_PROGRAM_NOT_FOUND, ERR_JEM_PROGRAM_NOT_EXECUTABLE, ERR_JEM_MALLOC_CONF, ERR_JEM_USAGE, and
 * ERR_JEM_LIBRARY_UNUSABLE with `--fallback=fail`.
 */
export function startProgram(
  words: readonly string[],
  options: ProgramOptions,
  context: CommandContext,
): Promise<void> | undefined {
  if (options.json && !options.print) {
    throw new JemkitError('ERR_JEM_USAGE', '--json is for --print: it shows the plan and runs nothing', {
      hint: `jem run --print --json -- ${words[0]}`,
    });
  }
  const plan = planLaunch({
    command: words[0] ?? '',
    args: words.slice(1),
    allocator: options.allocator,
    libraryPath: options.library,
    presetConf: presetConf(options.preset),
    conf: options.conf,
    children: options.children,
    agent: agentMode(options),
    profiling: options.profiling,
    environment: process.env,
  });
  if (options.conf !== undefined) checkConf(options.conf, plan, context);
  if (options.print) {
    if (options.json) {
      context.terminal.print(JSON.stringify(plan, null, 2));
    } else {
      const { renderLaunchPlan } = context.load(
        '../outputs/text/launch-plan.js',
      ) as typeof import('../outputs/text/launch-plan.js');
      context.terminal.print(renderLaunchPlan(plan, words));
    }
    return undefined;
  }
  sayFallback(plan, options, context);
  sayWithoutAgent(plan, options, context);
  if (plan.displaced.length > 0 && options.fallback !== 'silent') {
    context.terminal.say(
      `jem: ${plan.displaced.join(' and ')} is taken out of LD_PRELOAD: a process with two allocators aborts where they meet`,
    );
  }

  const { program } = plan;
  const shell = Buffer.from('/bin/sh');
  const replacement = {
    path: program.throughShell ? '/bin/sh' : program.path,
    argv: program.throughShell
      ? [shell, Buffer.from(program.path), ...rawArguments(words).slice(1)]
      : rawArguments(words),
    environment: plan.environment,
  };
  const refused = replaceProcess(replacement);
  if (refused !== 'no-addon') {
    throw new JemkitError(
      'ERR_JEM_PROGRAM_NOT_EXECUTABLE',
      `cannot execute ${program.path}: the kernel says ${refused}`,
      {
        hint: refused === 'E2BIG' ? 'fewer or shorter arguments' : `check with: file ${program.path}`,
      },
    );
  }
  if (options.fallback !== 'silent') {
    context.terminal.say(
      'jem: the native part is not built, so the program runs as a child of this process; remedy: npm rebuild jemkit',
    );
  }
  return runAsChild(replacement).then((exitCode) => {
    context.exitCode = exitCode;
  });
}
