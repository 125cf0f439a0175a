import { JemkitError } from '../errors.js';
import type { AgentAbsence } from '../model/agent.js';
import type { AllocatorIdentity } from '../model/allocator-identity.js';
import { serverWords } from './explain-allocator.js';

/** What else is known of a process whose agent could not be reached. */
export interface AbsentAgentFacts {
  readonly pid: number;
  /** Its short command: `node server.js`. */
  readonly command: string;
  readonly identity: AllocatorIdentity;
  /** The name of its user. */
  readonly user: string | undefined;
  readonly ownUid: number | undefined;
  /** In another mount namespace, or with another root. */
  readonly otherFiles: boolean;
  /** `JEMKIT_AGENT` of its environment. */
  readonly agentVariable: string | undefined;
  /** The command that asked, with the pid: `jem stats 4711`. */
  readonly asked: string;
}

/** `jemalloc 5.3.0` or `glibc's malloc, not jemalloc`; undefined where it is not known. */
export function allocatorWords(identity: AllocatorIdentity): string | undefined {
  if (identity.kind !== 'identified') return undefined;
  const version = identity.version ? ` ${identity.version.split('-')[0]}` : '';
  if (identity.allocator === 'jemalloc') return `jemalloc${version}`;
  return `${serverWords(identity)}${identity.allocator === 'system' ? '' : version}, not jemalloc`;
}

/** How to start this program so that it can be asked. */
export function startWithAgent({ command, otherFiles }: Pick<AbsentAgentFacts, 'command' | 'otherFiles'>): string {
  const start = `${otherFiles ? 'in its container, ' : ''}jem run --agent -- ${command}${command.endsWith('…') ? '' : ' …'}`;
  return /^(node|nodejs)\b/.test(command)
    ? `start it with one: ${start}; or call createMemory() of 'jemkit' in it`
    : `start it with one: ${start}`;
}

function explainNone(facts: AbsentAgentFacts, who: string): JemkitError {
  const words = allocatorWords(facts.identity);
  const serves = words === undefined ? '' : `; it is served by ${words}`;
  const { agentVariable } = facts;
  const details = { pid: facts.pid, allocator: facts.identity };
  if (agentVariable === '1') {
    return new JemkitError(
      'ERR_JEM_NO_AGENT',
      `${who} was started with an agent (JEMKIT_AGENT=1), which has no socket (yet)${serves}`,
      {
        hint: 'try again in a second; an agent that gives up says why in one line on the stderr of its process',
        details,
      },
    );
  }
  return new JemkitError('ERR_JEM_NO_AGENT', `${who} has no agent of jemkit that could be asked${serves}`, {
    hint: startWithAgent(facts),
    details,
  });
}

function explainNotPermitted(facts: AbsentAgentFacts, who: string, uid: number | undefined): JemkitError {
  const { user, ownUid, asked, pid } = facts;
  const details = { pid, uid };
  if (ownUid === 0 || uid === undefined || uid === ownUid) {
    return new JemkitError('ERR_JEM_NO_PERMISSION', `${who}: the kernel does not let this user see its files`, {
      hint:
        ownUid === 0
          ? 'even root needs CAP_SYS_PTRACE and CAP_DAC_OVERRIDE for it: ask from outside the container'
          : `sudo env PATH="$PATH" ${asked}`,
      details,
    });
  }
  const whose = user === undefined || user === String(uid) ? `user ${uid}` : `user ${user} (${uid})`;
  return new JemkitError(
    'ERR_JEM_NO_PERMISSION',
    `${who} belongs to ${whose}; only that user and root may ask its agent`,
    { hint: `sudo env PATH="$PATH" ${asked}`, details },
  );
}

/** The error for a process that there is, and whose agent cannot be asked. */
export function explainAgentAbsence(
  absence: Exclude<AgentAbsence, { readonly kind: 'gone' }>,
  facts: AbsentAgentFacts,
): JemkitError {
  const who = facts.command ? `process ${facts.pid} (${facts.command})` : `process ${facts.pid}`;
  switch (absence.kind) {
    case 'no-agent':
      return explainNone(facts, who);
    case 'not-permitted':
      return explainNotPermitted(facts, who, absence.uid);
    case 'foreign':
      return new JemkitError(
        'ERR_JEM_AGENT_UNRESPONSIVE',
        `${who}: what is in the place of its agent's socket is not trusted: ${absence.detail}`,
        {
          hint: `look at it: ls -la ${absence.path}; where nothing uses it, remove it and start the process again`,
          details: { pid: facts.pid, path: absence.path },
        },
      );
    case 'version-mismatch': {
      const { theirs, ours } = absence;
      return new JemkitError(
        'ERR_JEM_AGENT_VERSION',
        `the agent in ${who} speaks version ${theirs} of the protocol, this jemkit version ${ours}`,
        {
          hint:
            theirs > ours
              ? 'upgrade this jemkit, or use the one that started the process'
              : 'upgrade the jemkit that starts the process, and start it again',
          details: { pid: facts.pid, theirs, ours },
        },
      );
    }
    case 'unresponsive':
      return new JemkitError('ERR_JEM_AGENT_UNRESPONSIVE', `the agent of ${who} did not answer: ${absence.detail}`, {
        hint: `jem doctor ${facts.pid} looks at the process from outside`,
        details: { pid: facts.pid },
      });
  }
}
