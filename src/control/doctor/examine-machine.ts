import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkMallocConf } from '../../analyses/check-malloc-conf.js';
import { checkPreflight } from '../../analyses/check-preflight.js';
import { judgeConf } from '../../analyses/judge-conf.js';
import { isSystemError } from '../../errors.js';
import type { AllocatorLibrary, Architecture, LibraryTarget } from '../../model/allocator.js';
import { ALLOCATOR_VARIABLES, type PreloadEntry } from '../../model/allocator-environment.js';
import type { AllocatorIdentity } from '../../model/allocator-identity.js';
import type { ConfFacts, DevelopmentFacts, MachineFacts } from '../../model/doctor-facts.js';
import type { Finding } from '../../model/finding.js';
import type { LibraryProbe } from '../../model/probe.js';
import { nativeStatus } from '../../native.js';
import { CONF_LINK, readConfLink, readConfOrigins } from '../../sources/process/conf-origins.js';
import { readShellSettings } from '../../sources/process/environment-settings.js';
import { identifyAllocator } from '../../sources/process/identify-allocator.js';
import { cacheFolders, developmentFolder, platformName } from '../../sources/process/jemkit-folders.js';
import type { ImageReader } from '../../sources/process/mapped-images.js';
import { readPreloadStates } from '../../sources/process/preload-entries.js';
import { openProcessView } from '../../sources/process/process-view.js';
import { administratorPath, findProgram } from '../../sources/process/read-distribution.js';
import { readHost } from '../../sources/process/read-host.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { readMounts } from '../../sources/procfs/mounts.js';
import { preflightMallocConf } from '../launch/preflight-conf.js';
import { parsePreload, preloadVariable } from '../launch/preload-variable.js';
import { PROBE_QUESTIONS, probeLibrary } from '../launch/probe-library.js';
import { findLibrary } from '../library/find-library.js';

/** What doctor asks a jemalloc beside what every probe asks. */
export const DOCTOR_QUESTIONS = [
  ...PROBE_QUESTIONS,
  's:config.malloc_conf',
  'b:config.stats',
  'b:config.debug',
] as const;

/** The allocator's variables of an environment; nothing else of it is ever shown. */
export function allocatorVariables(get: (name: string) => string | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of [...ALLOCATOR_VARIABLES, 'JEMKIT_LIBRARY', 'JEMKIT_CACHE_DIR']) {
    const value = get(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** Headers and tools: what `jem install --dev` put down, else the system's. */
export function findDevelopment(target: LibraryTarget | undefined, environment: NodeJS.ProcessEnv): DevelopmentFacts {
  const platform = target && platformName(target.architecture, target.libc);
  const own = platform
    ? cacheFolders(environment, process.geteuid?.()).map((folder) =>
        join(developmentFolder(folder, 'jemalloc', platform), 'usr'),
      )
    : [];
  const prefixes = [...own, '/usr', '/usr/local', environment['HOMEBREW_PREFIX'] ?? '/opt/homebrew'];
  const tool = (name: string) =>
    own.map((prefix) => join(prefix, 'bin', name)).find((path) => existsSync(path)) ??
    findProgram(name, administratorPath(environment['PATH']));
  return {
    header: prefixes.map((prefix) => join(prefix, 'include/jemalloc/jemalloc.h')).find((path) => existsSync(path)),
    jeprof: tool('jeprof'),
    jemallocConfig: tool('jemalloc-config'),
  };
}

/** Entries of LD_PRELOAD and /etc/ld.so.preload as a program of `target` started here would meet them. */
export function readOwnPreloadEntries(
  environment: NodeJS.ProcessEnv,
  target: LibraryTarget | undefined,
): PreloadEntry[] {
  if (process.platform !== 'linux') return [];
  const view = { pathFromHere: (path: string) => path, mounts: readMounts('self'), target };
  let file = '';
  try {
    file = readFileSync('/etc/ld.so.preload', 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  return [
    ...readPreloadStates(parsePreload(environment[preloadVariable()]), 'LD_PRELOAD', view),
    ...readPreloadStates(parsePreload(file), '/etc/ld.so.preload', view),
  ];
}

function identifySelf(reader: ImageReader): AllocatorIdentity {
  if (process.platform !== 'linux')
    return { kind: 'unknown', reason: `${process.platform} does not show a process's memory map` };
  const view = openProcessView(process.pid);
  try {
    return identifyAllocator(view, reader, 'full');
  } finally {
    view.close();
  }
}

/** The options that a program started from here with this library gets, checked by a real start where there are any. */
export function examineConf(
  library: AllocatorLibrary | undefined,
  probe: LibraryProbe | undefined,
  conf: string | undefined,
  environment: NodeJS.ProcessEnv,
): ConfFacts {
  const works = probe?.kind === 'works' ? probe : undefined;
  const origins = readConfOrigins({
    prefix: '',
    compiledIn: works?.answers['config.malloc_conf'],
    symbol: undefined,
    linkPath: CONF_LINK,
    variables: conf === undefined ? {} : { MALLOC_CONF: conf },
  });
  const more: Finding[] = [];
  if (readConfLink(CONF_LINK).kind === 'file') {
    more.push({
      id: 'conf-file-ignored',
      severity: 'warning',
      title: `${CONF_LINK} is a regular file, which jemalloc ignores`,
      cause: 'it reads the target of a symbolic link there, not the content of a file',
      remedy: `ln -sf 'KEY:VALUE,…' ${CONF_LINK}`,
    });
  }
  if (library && conf && works?.serving === 'jemalloc') {
    const preflight = preflightMallocConf({ library, conf, environment });
    if (preflight.kind === 'ran') {
      const known = checkMallocConf(conf, { version: preflight.version, platform: process.platform });
      more.push(
        ...checkPreflight(conf, preflight, known).map((finding) => ({
          ...finding,
          title: `MALLOC_CONF: ${finding.title}`,
        })),
      );
    }
  }
  return judgeConf(origins, works?.version, process.platform, more);
}

/** Looks at this machine and at the shell that asks. Starts this node a few times, stopped before it runs anything. */
export function examineMachine(environment: NodeJS.ProcessEnv, reader: ImageReader): MachineFacts {
  const resolution = resolveProgram(process.execPath, environment['PATH']);
  const program = resolution.kind === 'resolved' ? resolution.program : undefined;
  const search = findLibrary({ allocator: 'jemalloc', target: program?.target, environment });
  const library = search.kind === 'found' ? search.library : undefined;
  const probe = program && library ? probeLibrary(program, library, environment, DOCTOR_QUESTIONS) : undefined;
  const fallbackTarget = { architecture: process.arch as Architecture, libc: 'glibc' } as const;
  return {
    kind: 'machine',
    node: { path: process.execPath, version: process.versions.node, program },
    native: nativeStatus(),
    search,
    probe,
    development: findDevelopment(program?.target ?? fallbackTarget, environment),
    shell: {
      identity: identifySelf(reader),
      entries: readOwnPreloadEntries(environment, program?.target),
      variables: allocatorVariables((name) => environment[name]),
    },
    settings: readShellSettings(environment['HOME']),
    conf: examineConf(library, probe, environment['MALLOC_CONF'], environment),
    host: readHost('self', environment),
  };
}
