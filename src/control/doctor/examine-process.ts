import { readFileSync, readlinkSync } from 'node:fs';
import { judgeConf } from '../../analyses/judge-conf.js';
import { shortCommand } from '../../analyses/short-command.js';
import { unavailableProcess } from '../../analyses/unavailable-process.js';
import { optional } from '../../errors.js';
import type { Architecture, LibraryTarget } from '../../model/allocator.js';
import type { PreloadEntry } from '../../model/allocator-environment.js';
import type { AllocatorIdentity } from '../../model/allocator-identity.js';
import type { Ancestor, ConfFacts, ProcessFacts, RunningExecutable } from '../../model/doctor-facts.js';
import { readPreloadEntries } from '../../sources/process/allocator-arrival.js';
import { CONF_LINK, readConfOrigins } from '../../sources/process/conf-origins.js';
import { readShellSettings, readUnitSettings } from '../../sources/process/environment-settings.js';
import { identifyAllocator } from '../../sources/process/identify-allocator.js';
import { readUserNames } from '../../sources/process/list-processes.js';
import { readMallocConfSymbol } from '../../sources/process/malloc-conf-symbol.js';
import { type ImageReader, mappedImages } from '../../sources/process/mapped-images.js';
import { readPreloadStates } from '../../sources/process/preload-entries.js';
import { openProcessView, type ProcessView } from '../../sources/process/process-view.js';
import { readHost } from '../../sources/process/read-host.js';
import { AT, readAuxiliaryVector } from '../../sources/procfs/auxiliary-vector.js';
import { readControlGroups, systemdUnitOf } from '../../sources/procfs/control-groups.js';
import { readMounts } from '../../sources/procfs/mounts.js';
import { readProcessStat } from '../../sources/procfs/process-stat.js';
import { readProcessStatus } from '../../sources/procfs/process-status.js';
import { readCommandLine, readStartEnvironment } from '../../sources/procfs/process-strings.js';
import { findLibrary } from '../library/find-library.js';
import { allocatorVariables } from './examine-machine.js';

/** USER_HZ: 100 on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;
const MAX_ANCESTORS = 32;

const readArgv = (pid: number) =>
  optional(() => readCommandLine(pid).map((argument) => argument.toString('utf8'))) ?? [];

function readAncestors(parentPid: number): Ancestor[] {
  const ancestors: Ancestor[] = [];
  for (let pid = parentPid; pid > 0 && ancestors.length < MAX_ANCESTORS; ) {
    const stat = optional(() => readProcessStat(pid));
    if (!stat) break;
    const argv = readArgv(pid);
    const environment = optional(() => readStartEnvironment(pid));
    ancestors.push({
      pid,
      command: shortCommand(argv) || stat.commandName,
      preload: environment ? { kind: 'read', value: environment.get('LD_PRELOAD') } : { kind: 'unreadable' },
      // pm2 writes its title over its arguments: `PM2 v5.3.0: God Daemon (/root/.pm2)`.
      pm2Daemon: argv.some((argument) => /\bGod Daemon\b/.test(argument)),
    });
    pid = stat.parentPid;
  }
  return ancestors;
}

function readStartMs(startTicks: number | undefined): number | undefined {
  const uptime = Number(optional(() => readFileSync('/proc/uptime', 'latin1'))?.split(' ')[0]);
  return startTicks === undefined || Number.isNaN(uptime)
    ? undefined
    : Date.now() - uptime * 1000 + (startTicks * 1000) / TICKS_PER_SECOND;
}

function readExecutable(view: ProcessView, reader: ImageReader): RunningExecutable | undefined {
  const image = optional(() => mappedImages(view, reader).executable);
  if (!image) return undefined;
  const { path, deleted, facts } = image;
  return {
    path,
    deleted,
    libc: facts?.libc,
    architecture: facts?.architecture as Architecture | undefined,
    isStatic: facts !== undefined && !facts.dynamic,
  };
}

function targetOf(executable: RunningExecutable | undefined): LibraryTarget | undefined {
  const { architecture, libc } = executable ?? {};
  return architecture && libc ? { architecture, libc } : undefined;
}

function readEntries(view: ProcessView, executable: RunningExecutable | undefined): PreloadEntry[] {
  const { variable, file } = readPreloadEntries(view);
  const seen = {
    pathFromHere: view.pathFromHere,
    mounts: optional(() => readMounts(view.pid)) ?? [],
    target: targetOf(executable),
  };
  return [
    ...readPreloadStates(variable ?? [], 'LD_PRELOAD', seen),
    ...readPreloadStates(file, '/etc/ld.so.preload', seen),
  ];
}

function examineConfOf(
  view: ProcessView,
  reader: ImageReader,
  identity: AllocatorIdentity,
  variables: Readonly<Record<string, string>> | undefined,
  secure: boolean | undefined,
): ConfFacts {
  const jemalloc =
    identity.kind === 'identified'
      ? [identity, ...identity.beside].find(
          ({ allocator, standing }) => allocator === 'jemalloc' && standing !== 'not-serving',
        )
      : undefined;
  if (!jemalloc) return judgeConf([], undefined, process.platform);
  const origins = readConfOrigins({
    prefix: jemalloc.prefix,
    // Only a start of the library tells what was compiled into it; a process that runs is not started again for that.
    compiledIn: undefined,
    symbol: readMallocConfSymbol(view, reader),
    linkPath: view.pathFromHere(CONF_LINK),
    variables: secure ? {} : (variables ?? {}),
  });
  return judgeConf(origins, jemalloc.version, process.platform);
}

function refuse(pid: number, identity: AllocatorIdentity, commandName: string | undefined): void {
  const { kind } = identity;
  if (kind === 'identified' || kind === 'unknown') return;
  throw unavailableProcess(pid, kind, commandName, { command: 'jem doctor', asRoot: process.geteuid?.() === 0 });
}

/**
 * Examines a running process. Nothing of it changes, and nothing is started.
 *
 * @throws JemkitError ERR_JEM_NO_SUCH_PROCESS (also for a zombie or a kernel thread) or ERR_JEM_NO_PERMISSION.
 */
export function examineProcess(pid: number, environment: NodeJS.ProcessEnv, reader: ImageReader): ProcessFacts {
  const view = openProcessView(pid);
  try {
    const identity = identifyAllocator(view, reader, 'full');
    const stat = optional(() => readProcessStat(pid));
    refuse(pid, identity, stat?.commandName);
    const status = optional(() => readProcessStatus(pid));
    const executable = readExecutable(view, reader);
    const start = optional(() => view.environment());
    const variables = start && allocatorVariables((name) => start.get(name));
    const secure = optional(() => readAuxiliaryVector(pid).get(AT.SECURE));
    const unit = systemdUnitOf(optional(() => readControlGroups(pid)) ?? []);
    const home = environment['HOME'];
    const target = targetOf(executable);
    const search = target && findLibrary({ allocator: 'jemalloc', target, environment });
    const uid = status?.effectiveUid;
    return {
      kind: 'process',
      pid,
      command: shortCommand(readArgv(pid)) || (stat?.commandName ?? ''),
      user: uid === undefined ? undefined : (readUserNames().get(uid) ?? String(uid)),
      residentBytes: status?.residentBytes,
      startedMs: readStartMs(stat?.startTicks),
      identity,
      executable,
      secure: secure === undefined ? undefined : secure !== 0,
      variables,
      entries: optional(() => readEntries(view, executable)) ?? [],
      ancestors: readAncestors(stat?.parentPid ?? 0),
      unit: unit && { name: unit.unit, ofUser: unit.ofUser, settings: readUnitSettings(unit.unit, home, unit.ofUser) },
      settings: readShellSettings(home),
      callerPreload: environment['LD_PRELOAD'],
      otherFiles: seesOtherFiles(pid),
      suggestedLibrary: search?.kind === 'found' ? search.library.path : undefined,
      conf: examineConfOf(view, reader, identity, variables, secure === 1),
      host: readHost(pid, environment),
    };
  } finally {
    view.close();
  }
}

function seesOtherFiles(pid: number): boolean {
  const root = optional(() => readlinkSync(`/proc/${pid}/root`));
  const [theirs, ours] = [
    optional(() => readlinkSync(`/proc/${pid}/ns/mnt`)),
    optional(() => readlinkSync('/proc/self/ns/mnt')),
  ];
  return (root !== undefined && root !== '/') || (theirs !== undefined && theirs !== ours);
}
