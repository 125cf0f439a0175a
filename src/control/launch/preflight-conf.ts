import { spawnSync } from 'node:child_process';
import type { AllocatorLibrary } from '../../model/allocator.js';
import type { JemallocMessage } from '../../model/jemalloc-message.js';
import { parseMallocConf } from '../../model/malloc-conf.js';
import { findOption, type OptionRow } from '../../model/malloc-conf-options.js';
import type { LibraryProbe } from '../../model/probe.js';
import { parseJemallocMessages } from '../../sources/process/parse-jemalloc-messages.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { preloadVariable } from './preload-variable.js';
import { PROBE_QUESTIONS, probeLibrary } from './probe-library.js';

const TIMEOUT_MS = 10_000;

/** What a real start with a MALLOC_CONF string showed. */
export type MallocConfPreflight =
  | {
      readonly kind: 'ran';
      readonly messages: readonly JemallocMessage[];
      /** `opt.*` as jemalloc reports them afterwards, by option; an option without one is absent. */
      readonly effective: Readonly<Record<string, string>>;
      readonly version: string | undefined;
      readonly profilingCompiledIn: boolean | undefined;
    }
  /** The process ended before its start: `abort_conf`, or a library that does not load. */
  | {
      readonly kind: 'ended';
      readonly messages: readonly JemallocMessage[];
      readonly message: string;
      readonly exitCode: number | undefined;
      readonly signal: string | undefined;
    }
  /** The library loads, but another allocator serves; `message` is the loader's, where it said one. */
  | { readonly kind: 'not-serving'; readonly message: string | undefined }
  | { readonly kind: 'untried'; readonly reason: string };

/** A string and the library that is to read it. */
export interface PreflightRequest {
  readonly library: AllocatorLibrary;
  readonly conf: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** The type letters of the probe to ask for; a wrong one is left unanswered, so an integer is asked for in each width. */
function questionsFor(key: string, row: OptionRow): string[] {
  switch (row.type) {
    case 'bool':
      return [`b:opt.${key}`];
    case 'choice':
    case 'text':
      return [`s:opt.${key}`];
    case 'integer':
      return (row.min ?? 0) < 0 ? [`d:opt.${key}`] : [`u:opt.${key}`, `z:opt.${key}`];
    default:
      return [];
  }
}

function environmentFor({ environment }: PreflightRequest, conf: string): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _preload, DYLD_INSERT_LIBRARIES: _insert, JEMKIT_SCOPE: _scope, ...rest } = environment;
  return { ...rest, MALLOC_CONF: conf };
}

/** Without the native part nothing can be read back, but jemalloc's warnings appear in any start. */
function startPlainly(request: PreflightRequest, conf: string): LibraryProbe {
  const result = spawnSync(process.execPath, ['--version'], {
    env: { ...environmentFor(request, conf), [preloadVariable()]: request.library.path },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  if (result.error && !result.pid)
    return { kind: 'untried', reason: `it could not be started (${result.error.message})` };
  const messages = result.stderr.toString('utf8').split('\n').filter(Boolean);
  if (result.status === 0) return { kind: 'works', serving: 'jemalloc', version: undefined, answers: {}, messages };
  return {
    kind: 'fails',
    message: messages[0] ?? 'it ended without a word',
    exitCode: result.status ?? undefined,
    signal: result.signal ?? undefined,
    messages,
  };
}

function start(request: PreflightRequest, conf: string): LibraryProbe {
  const resolution = resolveProgram(process.execPath, undefined);
  if (resolution.kind !== 'resolved') return startPlainly(request, conf);
  const keys = new Set(parseMallocConf(request.conf).pairs.map((pair) => pair.key));
  const questions = [...keys].flatMap((key) => {
    const row = findOption(key);
    return row ? questionsFor(key, row) : [];
  });
  const probe = probeLibrary(resolution.program, request.library, environmentFor(request, conf), [
    ...PROBE_QUESTIONS,
    ...questions,
  ]);
  // Exit code 0 without an answer: the probe did not load, so node ran to its end.
  const unanswered = probe.kind === 'untried' || (probe.kind === 'fails' && probe.exitCode === 0);
  return unanswered ? startPlainly(request, conf) : probe;
}

const PROFILE_WRITERS = ['lg_prof_interval', 'prof_gdump', 'prof_final', 'prof_log'];

function messagesOf(probe: LibraryProbe): JemallocMessage[] {
  return 'messages' in probe ? parseJemallocMessages((probe.messages ?? []).join('\n')) : [];
}

/** The string with what the preflight adds, and whether a message is about an addition. */
interface Instrumented {
  readonly conf: string;
  readonly isOwn: (message: JemallocMessage) => boolean;
  readonly hides: (option: string) => boolean;
}

/**
 * `confirm_conf` goes in front, so that it is read even where jemalloc stops in the middle. Where profiles would be written, an
 * empty prefix forbids it: a check must not leave files.
 */
function instrument(conf: string, confirm: boolean): Instrumented {
  const keys = parseMallocConf(conf).pairs.map((pair) => pair.key);
  const added = confirm && !keys.includes('confirm_conf') ? ['confirm_conf:true'] : [];
  const quiet = keys.some((key) => PROFILE_WRITERS.includes(key)) ? ['prof_prefix:'] : [];
  return {
    conf: [...added, ...quiet, conf, ...quiet].filter(Boolean).join(','),
    isOwn: (message) =>
      (message.kind === 'accepted' || message.kind === 'refused') &&
      ((added.length > 0 && message.key === 'confirm_conf') ||
        (quiet.length > 0 && message.key === 'prof_prefix' && message.value === '')),
    hides: (option) => quiet.length > 0 && option === 'prof_prefix',
  };
}

/**
 * Starts this Node once with the library and the string, stops it before it runs anything, and reports what jemalloc said and what
 * its options then were. Releases before 5.2.1 do not know `confirm_conf`: they are asked again without it.
 */
export function preflightMallocConf(request: PreflightRequest): MallocConfPreflight {
  let instrumented = instrument(request.conf, true);
  let probe = start(request, instrumented.conf);
  let all = messagesOf(probe);
  if (
    all.some((message) => instrumented.isOwn(message) && message.kind === 'refused' && message.key === 'confirm_conf')
  ) {
    instrumented = instrument(request.conf, false);
    probe = start(request, instrumented.conf);
    all = messagesOf(probe);
  }
  const { isOwn, hides } = instrumented;
  const messages = all
    .filter((message) => !isOwn(message))
    .map((message) =>
      message.kind === 'source' && message.source === 'environment' ? { ...message, conf: request.conf } : message,
    );
  if (probe.kind === 'untried') return probe;
  if (probe.kind === 'fails') {
    const { exitCode, signal } = probe;
    const spoken = (probe.messages ?? []).filter(
      (line) => !/^<jemalloc>: (malloc_conf #|-- Set conf value)/.test(line),
    );
    const aborted = messages.some(({ kind }) => kind === 'aborted');
    const message = aborted ? 'abort_conf:true ends it for the pair above' : (spoken[0] ?? probe.message);
    return { kind: 'ended', messages, message, exitCode, signal };
  }
  if (probe.serving !== 'jemalloc') {
    return { kind: 'not-serving', message: probe.messages.find((line) => line.startsWith('ERROR: ld.so')) };
  }
  const effective = Object.fromEntries(
    Object.entries(probe.answers)
      .filter(([name]) => name.startsWith('opt.'))
      .map(([name, value]) => [name.slice('opt.'.length), value] as const)
      .filter(([option]) => !hides(option)),
  );
  const profiling = probe.answers['config.prof'];
  return {
    kind: 'ran',
    messages,
    effective,
    version: probe.version,
    profilingCompiledIn: profiling === undefined ? undefined : profiling === 'true',
  };
}
