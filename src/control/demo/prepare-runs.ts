import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { checkMallocConf } from '../../analyses/check-malloc-conf.js';
import { JemkitError } from '../../errors.js';
import type { DemoVariant } from '../../model/demo.js';
import type { LaunchFallback } from '../../model/launch-plan.js';
import type { ResolvedProgram } from '../../model/program.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { softInstall } from '../install/install.js';
import { type LaunchRequest, planFor } from '../launch/plan-launch.js';

/** What is to be compared with plain malloc. */
export interface DemoAllocatorOptions {
  readonly libraryPath: string | undefined;
  readonly presetConf: string | undefined;
  readonly conf: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** One run to make. */
export interface PreparedRun {
  readonly variant: DemoVariant;
  readonly label: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The part of the environment that only this run has. */
  readonly added: Readonly<Record<string, string>>;
}

/** What {@link prepareRuns} found. */
export interface PreparedDemo {
  readonly library: string;
  readonly libc: string | undefined;
  readonly commandLine: readonly string[];
  readonly runs: readonly PreparedRun[];
}

/** All that the servers get of the user's environment: options of Node or of an allocator would be measured with them. */
const KEPT_VARIABLES = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH'];

/** glibc's own remedies: fewer arenas, and memory at the end of the heap given back early. */
const TUNED_GLIBC = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' };

function fileOf(relative: string): string {
  const path = fileURLToPath(new URL(relative, import.meta.url));
  try {
    readFileSync(path);
  } catch (cause) {
    throw new JemkitError('ERR_JEM_FILE', `a file of the demo is missing: ${path}`, {
      hint: 'npm install jemkit',
      cause,
    });
  }
  return path;
}

function unusable(fallback: LaunchFallback): JemkitError {
  return new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', `there is nothing to compare with: ${fallback.cause}`, {
    hint: fallback.remedy,
    details: { reason: fallback.reason },
  });
}

function checkConf(conf: string | undefined): void {
  const problem = checkMallocConf(conf ?? '', { platform: process.platform }).find(
    ({ severity }) => severity === 'problem',
  );
  if (!problem) return;
  throw new JemkitError('ERR_JEM_MALLOC_CONF', `--conf: ${problem.title}`, {
    hint: problem.remedy ?? `jem conf check '${conf}'`,
  });
}

function definedOnly(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function planJemalloc(
  program: ResolvedProgram,
  request: Omit<LaunchRequest, 'command'>,
  options: DemoAllocatorOptions,
) {
  const plan = planFor(program, request);
  if (plan.fallback?.reason !== 'no-library') return plan;
  options.say('jem: there is no jemalloc here yet: getting one for this user (no root; jem uninstall removes it)');
  const outcome = await softInstall({
    environment: options.environment,
    signal: options.signal,
    onProgress: ({ text }) => options.say(`jem: ${text}`),
  });
  if (outcome.kind === 'planned') return plan;
  options.say(`jem: ${outcome.kind === 'installed' ? 'installed' : 'found'} ${outcome.path}`);
  return planFor(program, request);
}

function systemLabel(libc: string | undefined): string {
  return libc === 'glibc' || libc === 'musl' ? libc : 'system malloc';
}

/**
 * Finds jemalloc (or installs it for the user), tries it on this node, and says how each run is to be started.
 *
 * @throws JemkitError ERR_JEM_LIBRARY_UNUSABLE with the cause and the remedy; those of `softInstall`.
 */
export async function prepareRuns(options: DemoAllocatorOptions): Promise<PreparedDemo> {
  const resolution = resolveProgram(process.execPath, undefined);
  if (resolution.kind !== 'resolved') {
    throw new JemkitError('ERR_JEM_PROGRAM_NOT_EXECUTABLE', `node's own file ${process.execPath} cannot be read`, {
      hint: 'start jem with another node',
    });
  }
  const { program } = resolution;
  const { MALLOC_CONF: _conf, NODE_OPTIONS: _options, ...environment } = options.environment;
  const request = {
    libraryPath: options.libraryPath,
    presetConf: options.presetConf,
    conf: options.conf,
    children: true,
  };
  const plain = planFor(program, { ...request, allocator: 'system', environment });
  const base = definedOnly(Object.fromEntries(KEPT_VARIABLES.map((name) => [name, environment[name]])));
  // A library that is preloaded for another reason stays, in every run; an allocator among them does not.
  for (const name of ['LD_PRELOAD', 'DYLD_INSERT_LIBRARIES']) {
    const value = name in plain.environment ? plain.environment[name] : environment[name];
    if (value !== undefined && value !== '') base[name] = value;
  }
  checkConf(options.conf);
  const plan = await planJemalloc(
    program,
    { ...request, allocator: 'jemalloc', environment: { ...environment, ...plain.environment } },
    options,
  );
  if (plan.fallback) throw unusable(plan.fallback);
  if (!plan.library) throw new JemkitError('ERR_JEM_INTERNAL', 'a plan without library and without reason');

  const libc = program.target?.libc;
  const label = systemLabel(libc);
  const jemalloc = definedOnly(plan.environment);
  const reporter = pathToFileURL(fileOf('./reporter.js')).href;
  const server = fileOf('../../../examples/fragmenting-server/server.mjs');
  return {
    library: plan.library.path,
    libc,
    commandLine: [process.execPath, '--expose-gc', '--import', reporter, server],
    runs: [
      { variant: 'system', label, environment: base, added: {} },
      { variant: 'jemalloc', label: 'jemalloc', environment: { ...base, ...jemalloc }, added: jemalloc },
      ...(libc === 'glibc'
        ? [
            {
              variant: 'tuned-glibc' as const,
              label: 'tuned glibc',
              environment: { ...base, ...TUNED_GLIBC },
              added: TUNED_GLIBC,
            },
          ]
        : []),
    ],
  };
}
