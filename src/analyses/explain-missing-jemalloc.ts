import { allocatorOfLibraryName } from '../model/allocator.js';
import type { EnvironmentSetting, PreloadEntry } from '../model/allocator-environment.js';
import type { Ancestor, ProcessFacts } from '../model/doctor-facts.js';
import type { Finding } from '../model/finding.js';

/** Why something is so, and what to do about it. */
export type Explanation = Required<Pick<Finding, 'id' | 'cause' | 'remedy'>>;

const namesAllocator = (preload: string | undefined) =>
  (preload ?? '').split(/[\s:]+/).some((entry) => allocatorOfLibraryName(entry) !== undefined);

/** The remedy where nothing stands in the way. */
export const runAgain = ({ command }: ProcessFacts) => `start it again with: jem run -- ${command} …`;

/** The kernel tells the start of a process in ticks of 10 ms, against a clock that is read apart. */
const START_PRECISION_MS = 50;

/** What stands in the way whatever the environment says. */
function explainByProgram({ executable, secure }: ProcessFacts): Explanation | undefined {
  if (executable?.isStatic) {
    return {
      id: 'static-program',
      cause: `${executable.path} is statically linked: the loader, which reads LD_PRELOAD, never runs`,
      remedy: 'use a dynamically linked build of it, or build it with jemalloc inside',
    };
  }
  if (secure) {
    return {
      id: 'secure-program',
      cause: `${executable?.path ?? 'the program'} is setuid, setgid or has file capabilities: the loader ignores LD_PRELOAD for such programs (AT_SECURE is set)`,
      remedy:
        'start it as the user it changes to, grant capabilities by the service instead (systemd: AmbientCapabilities=), or link it to jemalloc',
    };
  }
  return undefined;
}

const STATE_IDS: Readonly<Record<Exclude<PreloadEntry['state'], 'fits' | 'left-to-the-loader'>, string>> = {
  missing: 'preload-missing',
  unreadable: 'preload-unreadable',
  'not-a-library': 'preload-not-a-library',
  'wrong-architecture': 'preload-wrong-architecture',
  'wrong-libc': 'preload-wrong-libc',
  noexec: 'preload-noexec',
};

/** The variable was there, and the loader did not use it. */
function explainByEntry(entry: PreloadEntry, facts: ProcessFacts): Explanation | undefined {
  const { startedMs, otherFiles, suggestedLibrary, executable } = facts;
  const use = suggestedLibrary
    ? `${entry.place}=${suggestedLibrary}, which fits`
    : 'a library that fits (jem install gets one)';
  if (entry.state === 'left-to-the-loader') return undefined;
  if (entry.state === 'fits') {
    if (startedMs === undefined || entry.changedMs === undefined || entry.changedMs < startedMs - START_PRECISION_MS)
      return undefined;
    return {
      id: 'preload-came-later',
      cause: `${entry.place} names ${entry.text}, which was put there (or changed) after this process had started`,
      remedy: 'restart the process',
    };
  }
  const where = otherFiles ? ' in the file system that this process sees (a container or chroot)' : '';
  const remedy =
    entry.state === 'missing' && otherFiles
      ? `install jemalloc inside the container's image and set ${entry.place} to the path it has there`
      : entry.state === 'missing'
        ? `jem install, or set ${use}`
        : entry.state === 'wrong-libc' && executable?.libc === 'musl'
          ? 'install a jemalloc built for musl (Alpine: apk add jemalloc) and name that one'
          : entry.state === 'noexec'
            ? 'put the library on a file system that is not mounted noexec'
            : `set ${use}`;
  return {
    id: STATE_IDS[entry.state],
    cause: `${entry.place} names ${entry.text}, but ${entry.detail ?? 'it cannot be used'}${where}: the loader said so on stderr and went on without`,
    remedy,
  };
}

function laterSetting(
  settings: readonly EnvironmentSetting[],
  startedMs: number | undefined,
): EnvironmentSetting | undefined {
  return settings.find(
    ({ variable, value, modifiedMs }) =>
      variable === 'LD_PRELOAD' &&
      namesAllocator(value) &&
      startedMs !== undefined &&
      modifiedMs !== undefined &&
      modifiedMs > startedMs,
  );
}

/** The nearest process above that has the variable, and the one below it that lost it. */
function findDropper(
  ancestors: readonly Ancestor[],
): { readonly has: Ancestor; readonly lost: Ancestor | undefined } | undefined {
  const index = ancestors.findIndex(({ preload }) => preload.kind === 'read' && namesAllocator(preload.value));
  const has = ancestors[index];
  return has && { has, lost: ancestors[index - 1] };
}

function explainByUnit(facts: ProcessFacts): Explanation | undefined {
  const { unit, startedMs, suggestedLibrary } = facts;
  if (!unit) return undefined;
  const scope = unit.ofUser ? 'systemctl --user' : 'systemctl';
  const later = laterSetting(unit.settings ?? [], startedMs);
  if (later) {
    return {
      id: 'started-before-setting',
      cause: `${later.path} sets LD_PRELOAD for ${unit.name}, but was changed after this process had started`,
      remedy: `${scope} daemon-reload && ${scope} restart ${unit.name}`,
    };
  }
  const sets = unit.settings?.some(({ variable, value }) => variable === 'LD_PRELOAD' && namesAllocator(value));
  if (sets) return undefined;
  return {
    id: 'unit-without-preload',
    cause: `it belongs to the systemd unit ${unit.name}, which does not set LD_PRELOAD; units do not inherit the environment of a shell`,
    remedy: `${scope} edit ${unit.name}, add the two lines “[Service]” and “Environment=LD_PRELOAD=${suggestedLibrary ?? 'PATH_OF_LIBJEMALLOC'}”, then ${scope} restart ${unit.name}`,
  };
}

/** The variable was not there: who took it away, or who should have set it. */
function explainAbsence(facts: ProcessFacts): Explanation {
  const { ancestors, settings, startedMs, callerPreload } = facts;
  const daemon = ancestors.find(({ pm2Daemon }) => pm2Daemon);
  if (daemon && !(daemon.preload.kind === 'read' && namesAllocator(daemon.preload.value))) {
    return {
      id: 'pm2-daemon',
      cause: `it was started by pm2's daemon (pid ${daemon.pid}), whose own environment has no LD_PRELOAD: in cluster mode the workers take it from there`,
      remedy: 'pm2 save && pm2 kill && jem run -- pm2 resurrect',
    };
  }
  const dropper = findDropper(ancestors);
  if (dropper) {
    const { has, lost } = dropper;
    return {
      id: 'preload-dropped',
      cause: `${has.command} (pid ${has.pid}) has LD_PRELOAD, ${lost ? `${lost.command} (pid ${lost.pid}), which it started, has not` : 'and this process, which it started, has not'}: the environment was emptied on the way (env -i, sudo, su -, a supervisor or an entrypoint)`,
      remedy: `put jem run directly in front of the program, behind whatever empties the environment: … jem run -- ${facts.command} …`,
    };
  }
  const later = laterSetting(settings, startedMs);
  const byUnit = explainByUnit(facts);
  if (byUnit) return byUnit;
  if (later) {
    return {
      id: 'started-before-setting',
      cause: `${later.path}${later.line ? `:${later.line}` : ''} sets LD_PRELOAD, but was changed after this process had started`,
      remedy: 'restart the process from a new shell',
    };
  }
  if (namesAllocator(callerPreload)) {
    return {
      id: 'preload-only-in-this-shell',
      cause: 'LD_PRELOAD is set in this shell, but was not in the environment this process was started with',
      remedy: `restart the process from this shell, or ${runAgain(facts)}`,
    };
  }
  const set = settings.find(({ variable, value }) => variable === 'LD_PRELOAD' && namesAllocator(value));
  if (set) {
    return {
      id: 'preload-not-inherited',
      cause: `${set.path}${set.line ? `:${set.line}` : ''} sets LD_PRELOAD, but whatever started this process does not read that file (cron, systemd and ssh commands read no profile)`,
      remedy: runAgain(facts),
    };
  }
  return { id: 'preload-absent', cause: 'LD_PRELOAD was not set when it was started', remedy: runAgain(facts) };
}

/** Why jemalloc is not in a process at all. */
export function explainMissingJemalloc(facts: ProcessFacts): Explanation {
  const byProgram = explainByProgram(facts);
  if (byProgram) return byProgram;
  const entries = facts.entries.filter(({ allocator, text }) => allocator === 'jemalloc' || /jemalloc/.test(text));
  for (const entry of entries) {
    const byEntry = explainByEntry(entry, facts);
    if (byEntry) return byEntry;
  }
  if (facts.variables === undefined) {
    return {
      id: 'environment-unreadable',
      cause: 'the environment it was started with cannot be read, so why is not known',
      remedy: `ask as its user or as root: sudo jem doctor ${facts.pid}`,
    };
  }
  if (entries.length > 0) {
    return {
      id: 'preload-ignored',
      cause: `LD_PRELOAD names ${entries.map(({ text }) => text).join(' and ')}, which fits, and yet it is not among the process's mappings: the program may have been started through another loader, or have set the variable for its children only`,
      remedy: 'try the same command: jem doctor -- COMMAND',
    };
  }
  if (facts.executable?.libc === 'musl') {
    return {
      id: 'musl-program',
      cause: `${facts.executable.path} uses musl, and no jemalloc built for musl is preloaded`,
      remedy:
        'install one (Alpine: apk add jemalloc) and start with: jem run --library /usr/lib/libjemalloc.so.2 -- COMMAND',
    };
  }
  return explainAbsence(facts);
}
