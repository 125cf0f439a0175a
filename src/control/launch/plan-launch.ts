import { isSystemError, JemkitError } from '../../errors.js';
import {
  type AllocatorLibrary,
  type AllocatorName,
  allocatorOfLibraryName,
  type PreloadableAllocator,
} from '../../model/allocator.js';
import type { AgentMode, AgentPlan, LaunchFallback, LaunchPlan, ProfilingPlan } from '../../model/launch-plan.js';
import type { LibrarySearch } from '../../model/library-search.js';
import { mergeMallocConf } from '../../model/merge-malloc-conf.js';
import type { LibraryProbe } from '../../model/probe.js';
import type { ResolvedProgram } from '../../model/program.js';
import { agentLibraryPath } from '../../native.js';
import { statSync } from '../../sources/file-system.js';
import { canBePreloaded } from '../../sources/process/jemkit-folders.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { findLibrary } from '../library/find-library.js';
import { agentVariable, FILTERS_VARIABLE, isAgentLibrary, planAgent } from './plan-agent.js';
import { isReadyForProfiling, openProfilingWish } from './plan-profiling.js';
import { parsePreload, preloadVariable, prependPreload } from './preload-variable.js';
import { probeLibraryOnce } from './probe-cache.js';
import { agentFits } from './probe-library.js';

/** What to launch, and under what. */
export interface LaunchRequest {
  readonly command: string;
  /** Its arguments, of which only those of `env` matter here. */
  readonly args?: readonly string[];
  readonly allocator: AllocatorName;
  /** `--library`: this file and no other. */
  readonly libraryPath?: string | undefined;
  /** MALLOC_CONF of a preset: what the environment holds counts more. */
  readonly presetConf?: string | undefined;
  /** MALLOC_CONF the user typed: counts most. */
  readonly conf?: string | undefined;
  /** False takes the variables out of what the program itself starts. */
  readonly children: boolean;
  /** Where the agent is to act; left out, nothing about it is changed. */
  readonly agent?: AgentMode | undefined;
  /** True lets heap profiling be switched on later, where the library can do it and nobody set anything about it. */
  readonly profiling?: boolean | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

const UNPRELOADABLE: Readonly<
  Record<NonNullable<ResolvedProgram['unpreloadable']>, readonly [cause: string, remedy: string]>
> = {
  static: [
    'is statically linked, so the loader that reads LD_PRELOAD never runs',
    'use a dynamically linked build of it',
  ],
  setuid: [
    'is setuid or setgid, and the loader ignores LD_PRELOAD for such programs',
    'start it as the user it changes to, or link it to jemalloc',
  ],
  'file-capabilities': [
    'has file capabilities (setcap), and the loader ignores LD_PRELOAD for such programs',
    "take them off (setcap -r FILE) and grant them in the service instead, for example systemd's AmbientCapabilities=",
  ],
  'foreign-machine': ['is no program of this machine', 'check with: file PROGRAM'],
  'not-readable': ['cannot be read by this user, so its architecture is unknown', 'start it as a user who can read it'],
  'environment-dropped': [
    'is started by an env that drops the environment or sets LD_PRELOAD itself',
    'put jem behind it: env -i PATH="$PATH" jem run -- PROGRAM',
  ],
  'unknown-libc': ['uses a C library that jemkit does not know', 'name a library built for it: --library PATH'],
};

/** One clause about a search without result. */
export function describeSearch(search: Extract<LibrarySearch, { kind: 'none' }>): LaunchFallback {
  const [first] = search.rejected;
  if (!first) {
    return {
      reason: 'no-library',
      cause: `no ${search.allocator} library was found`,
      remedy: search.allocator === 'jemalloc' ? 'jem install' : `jem install --allocator ${search.allocator}`,
    };
  }
  return {
    reason: 'library-unusable',
    cause: `${first.path} cannot be used: ${first.detail}`,
    remedy:
      first.source === 'option'
        ? 'name another file with --library, or leave the option out to search'
        : first.source === 'JEMKIT_LIBRARY'
          ? 'unset JEMKIT_LIBRARY to search, or set it to a library for this program'
          : first.reason === 'wrong-libc'
            ? 'install a library for that C library (Alpine: apk add jemalloc) and name it with --library'
            : 'jem install --force, or name a library with --library',
  };
}

function describeProbe(
  probe: LibraryProbe,
  library: AllocatorLibrary,
  program: ResolvedProgram,
): LaunchFallback | undefined {
  if (probe.kind === 'fails') {
    const end = probe.signal
      ? ` (signal ${probe.signal})`
      : probe.exitCode === undefined
        ? ''
        : ` (exit code ${probe.exitCode})`;
    const refusedConf = probe.messages?.find((line) => /^<jemalloc>: .*(conf|abort)/i.test(line));
    if (refusedConf) {
      return {
        reason: 'malloc-conf-fails',
        cause: `jemalloc ends ${program.interpreter} because of MALLOC_CONF${end}: ${refusedConf}`,
        remedy: 'correct the pair (jem conf check "$MALLOC_CONF" names it), or take abort_conf:true out',
      };
    }
    const missing = /([^\s:]+): cannot open shared object file/.exec(probe.message)?.[1];
    return {
      reason: 'library-fails',
      cause: `${program.interpreter} does not start with ${library.path}${end}: ${probe.message}`,
      remedy: missing
        ? `install the package that has ${missing}, or get another library: jem install --force`
        : 'get a library that fits this system: jem install --force',
    };
  }
  if (probe.kind === 'works' && probe.serving !== library.allocator) {
    return {
      reason: 'library-does-not-serve',
      cause: `${library.path} loads into ${program.interpreter}, but malloc stays with ${probe.serving}`,
      remedy: 'name another library with --library; jem doctor -- PROGRAM shows the details',
    };
  }
  return undefined;
}

const isAllocator = (entry: string) => allocatorOfLibraryName(entry) !== undefined;

/** A preload value without the allocators in it. */
function withoutAllocators(value: string | undefined): string | undefined {
  const rest = parsePreload(value).filter((entry) => !isAllocator(entry));
  return rest.length > 0 ? rest.join(':') : undefined;
}

/** Whether a path leads to this library: `/lib` is often a link to `/usr/lib`. */
function isSameFile(path: string, library: AllocatorLibrary): boolean {
  try {
    const { dev, ino } = statSync(path);
    return dev === library.identity.device && ino === library.identity.inode;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** The library by the name it is preloaded under already, else by its path. */
function preloadedName(library: AllocatorLibrary, environment: NodeJS.ProcessEnv): string {
  const entries = parsePreload(environment[preloadVariable()]);
  return entries.find((entry) => isAllocator(entry) && isSameFile(entry, library)) ?? library.path;
}

/** Allocators that are preloaded beside the library. */
function displacedBy(library: AllocatorLibrary, environment: NodeJS.ProcessEnv): string[] {
  return parsePreload(environment[preloadVariable()]).filter(
    (entry) => isAllocator(entry) && !isSameFile(entry, library) && entry !== library.path,
  );
}

interface Chosen {
  readonly library: AllocatorLibrary;
  readonly source: LaunchPlan['librarySource'];
  readonly probe: LibraryProbe | undefined;
}

/** The MALLOC_CONF the program will get; undefined where nothing is to be changed. */
function effectiveConf(allocator: PreloadableAllocator, request: LaunchRequest): string | undefined {
  if (allocator !== 'jemalloc') return undefined;
  const before = request.environment['MALLOC_CONF'];
  const conf = mergeMallocConf(request.presetConf, before, request.conf);
  return conf === '' || conf === before ? undefined : conf;
}

function chooseLibrary(
  program: ResolvedProgram,
  allocator: PreloadableAllocator,
  request: LaunchRequest,
): Chosen | LaunchFallback {
  if (program.unpreloadable) {
    const [cause, remedy] = UNPRELOADABLE[program.unpreloadable];
    return { reason: 'program-unpreloadable', cause: `${program.interpreter} ${cause}`, remedy };
  }
  const { environment } = request;
  const search = findLibrary({ allocator, target: program.target, path: request.libraryPath, environment });
  if (search.kind === 'none') return describeSearch(search);
  const { library } = search;
  const conf = effectiveConf(library.allocator, request);
  // With the environment it will have: abort_conf would end the program at its start.
  const preload = preloadVariable();
  const probed = { ...environment, [preload]: withoutAllocators(environment[preload]) };
  const probe = probeLibraryOnce(
    program,
    library,
    conf === undefined ? probed : { ...probed, MALLOC_CONF: conf },
    request.agent !== 'off' && allocator === 'jemalloc',
  );
  return describeProbe(probe, library, program) ?? { library, source: search.source, probe };
}

/** The library with the request that it was tried for: with profiling where that works, else without. */
function chooseForProfiling(
  program: ResolvedProgram,
  allocator: PreloadableAllocator,
  request: LaunchRequest,
): { readonly chosen: Chosen | LaunchFallback; readonly request: LaunchRequest; readonly profiling: ProfilingPlan } {
  const wish = openProfilingWish(allocator, request);
  if (wish.kind !== 'add') return { chosen: chooseLibrary(program, allocator, request), request, profiling: wish.plan };
  const asked = { ...request, conf: wish.conf };
  const chosen = chooseLibrary(program, allocator, asked);
  if ('reason' in chosen) {
    // Where it is not profiling that is in the way, the same comes out again.
    const without = chooseLibrary(program, allocator, request);
    const cause = 'the program does not start with it';
    return { chosen: without, request, profiling: { kind: 'left-out', cause } };
  }
  const profiling = isReadyForProfiling(chosen.probe);
  return { chosen, request: profiling.kind === 'ready' ? asked : request, profiling };
}

/** What the agent, and a `jem run` further down, are to read in JEMKIT_AGENT. */
function agentSetting(request: Pick<LaunchRequest, 'agent'>, plan: AgentPlan): string | undefined {
  if (plan.kind === 'preloaded') return agentVariable(plan.mode);
  return request.agent === 'off' ? agentVariable('off') : undefined;
}

function environmentChanges(
  program: ResolvedProgram,
  { library, probe }: Chosen,
  agentPlan: AgentPlan,
  request: LaunchRequest,
): LaunchPlan['environment'] {
  const variable = preloadVariable();
  const { environment } = request;
  const before = environment[variable];
  const paths = [preloadedName(library, environment)];
  // One that is left from a probe would end the program at its start.
  const changes: Record<string, string | undefined> =
    environment['JEMKIT_PROBE'] === undefined ? {} : { JEMKIT_PROBE: undefined };
  const conf = effectiveConf(library.allocator, request);
  if (conf !== undefined) changes['MALLOC_CONF'] = conf;
  if (agentPlan.kind === 'preloaded') paths.push(agentPlan.path);
  const setting = agentSetting(request, agentPlan);
  if (setting !== undefined && setting !== environment['JEMKIT_AGENT']) changes['JEMKIT_AGENT'] = setting;
  // Of use where the agent is not preloaded, too: the addon of a Node program has one.
  const proof = probe?.kind === 'works' && probe.filters?.kind === 'works' ? probe.filters.proof : undefined;
  if (proof !== environment[FILTERS_VARIABLE]) changes[FILTERS_VARIABLE] = proof;
  if (!request.children) {
    const agent = agentLibraryPath();
    if (!agent) {
      throw new JemkitError(
        'ERR_JEM_NATIVE',
        '--no-children needs the native part of jemkit, which is not built for this platform',
        {
          hint: 'npm rebuild jemkit   (needs gcc or clang), or leave --no-children out',
        },
      );
    }
    if (!canBePreloaded(agent)) {
      const why = `--no-children cannot preload ${agent}: the loader splits LD_PRELOAD at spaces and colons`;
      throw new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', why, {
        hint: 'install jemkit in a folder without them, or leave --no-children out',
      });
    }
    if (!agentFits(agent, program.target)) {
      const why = `--no-children needs jemkit's own library built for the program's C library and architecture, which ${agent} is not`;
      throw new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', why, { hint: 'leave --no-children out' });
    }
    if (!paths.includes(agent)) paths.push(agent);
    changes['JEMKIT_SCOPE'] = program.interpreter;
    changes['JEMKIT_SCOPE_LD_PRELOAD'] = before;
    changes['JEMKIT_SCOPE_MALLOC_CONF'] = environment['MALLOC_CONF'];
    changes['JEMKIT_SCOPE_JEMKIT_AGENT'] = environment['JEMKIT_AGENT'];
    changes[`JEMKIT_SCOPE_${FILTERS_VARIABLE}`] = environment[FILTERS_VARIABLE];
  }
  // Two agents, as of two versions of jemkit, would want the same socket.
  const others = parsePreload(before).filter(
    (entry) => paths.includes(entry) || !(isAllocator(entry) || (request.agent !== undefined && isAgentLibrary(entry))),
  );
  const preload = prependPreload(paths, others.join(':'));
  if (preload !== before) changes[variable] = preload;
  return changes;
}

/**
 * Decides how a command is to be launched: which program it is, which library fits, whether that program starts with it, and what
 * the environment becomes. Changes nothing; without a usable library the plan carries the fallback and its reason.
 *
 * @throws JemkitError ERR_JEM_PROGRAM_NOT_FOUND, ERR_JEM_PROGRAM_NOT_EXECUTABLE, or ERR_JEM_NATIVE for `children: false`.
 */
export function planLaunch(request: LaunchRequest): LaunchPlan {
  if (request.libraryPath === '') {
    throw new JemkitError('ERR_JEM_USAGE', '--library is empty (expected the path of a library file)', {
      hint: 'is the variable that it comes from set?',
    });
  }
  const resolution = resolveProgram(request.command, request.environment['PATH'], request.args);
  if (resolution.kind === 'not-found') {
    throw new JemkitError(
      'ERR_JEM_PROGRAM_NOT_FOUND',
      `no program '${resolution.name}': it is ${resolution.name.includes('/') ? 'not a file' : 'in no folder of PATH'}`,
      {
        hint: 'check the spelling, or give its path',
      },
    );
  }
  if (resolution.kind === 'not-executable') {
    throw new JemkitError('ERR_JEM_PROGRAM_NOT_EXECUTABLE', `cannot execute ${resolution.path}: ${resolution.reason}`, {
      hint: resolution.reason.startsWith('permission denied')
        ? `for a script, name its interpreter (jem run -- node FILE), or: chmod +x ${resolution.path}`
        : `look at it with: file ${resolution.path}`,
    });
  }
  return planFor(resolution.program, request);
}

/** {@link planLaunch} for a program that is resolved already. */
export function planFor(program: ResolvedProgram, request: Omit<LaunchRequest, 'command'>): LaunchPlan {
  const { allocator, environment } = request;
  const base = {
    program,
    allocator,
    library: undefined,
    librarySource: undefined,
    probe: undefined,
    displaced: [],
    fallback: undefined,
    profiling: { kind: 'off' } as const,
  };
  const agentOf = (probe: LibraryProbe | undefined) =>
    planAgent({ mode: request.agent ?? 'off', allocator, program, probe });
  if (allocator === 'system') {
    const variable = preloadVariable();
    const rest = withoutAllocators(environment[variable]);
    return {
      ...base,
      agent: agentOf(undefined),
      environment: rest === environment[variable] ? {} : { [variable]: rest },
    };
  }
  const {
    chosen,
    request: asked,
    profiling,
  } = chooseForProfiling(program, allocator, {
    ...request,
    command: program.path,
  });
  if ('reason' in chosen) return { ...base, agent: agentOf(undefined), environment: {}, fallback: chosen };
  const agent = agentOf(chosen.probe);
  return {
    ...base,
    library: chosen.library,
    librarySource: chosen.source,
    probe: chosen.probe,
    displaced: displacedBy(chosen.library, environment),
    agent,
    profiling,
    environment: environmentChanges(program, chosen, agent, asked),
  };
}
