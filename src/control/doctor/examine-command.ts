import type { CommandFacts } from '../../model/doctor-facts.js';
import { agentModeOf } from '../launch/plan-agent.js';
import { planLaunch } from '../launch/plan-launch.js';
import { presetConf } from '../launch/preset-conf.js';
import { probeLibrary } from '../launch/probe-library.js';
import { DOCTOR_QUESTIONS, examineConf, readOwnPreloadEntries } from './examine-machine.js';

function applied(
  environment: NodeJS.ProcessEnv,
  changes: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
  const { ...result } = environment;
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete result[name];
    else result[name] = value;
  }
  return result;
}

/**
 * Decides how `jem run` would launch a command and tries it: the real interpreter is started with the library at this moment,
 * never answered from a cache, and stopped before its own `main`, so nothing of the program runs.
 *
 * @throws JemkitError as {@link planLaunch}.
 */
export function examineCommand(words: readonly string[], environment: NodeJS.ProcessEnv): CommandFacts {
  const plan = planLaunch({
    command: words[0] ?? '',
    args: words.slice(1),
    allocator: 'jemalloc',
    presetConf: presetConf(undefined),
    children: true,
    agent: agentModeOf(environment, 'auto'),
    environment,
  });
  const launched = applied(environment, plan.environment);
  const smoke = plan.library && probeLibrary(plan.program, plan.library, launched, DOCTOR_QUESTIONS);
  return {
    kind: 'command',
    words,
    plan,
    smoke,
    entries: readOwnPreloadEntries(environment, plan.program.target),
    conf: examineConf(plan.library, smoke, launched['MALLOC_CONF'], environment),
  };
}
