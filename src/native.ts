import { dirname } from 'node:path';

// Not `import … from 'node:fs'`, for the reason in sources/file-system.ts.
const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');

/** What jemalloc says of itself inside this process. */
export interface InProcessJemalloc {
  /** jemalloc's `version` mallctl: `5.3.0-0-g54eaed1d…`. */
  readonly version: string;
  /** `config.prof`: profiling is compiled in. */
  readonly profilingCompiledIn: boolean;
  /** `arenas.page` in bytes. */
  readonly pageBytes: number;
  /** A malloc made here moved jemalloc's own counter: it does serve this process, it is not merely mapped. */
  readonly serves: boolean;
}

/** Why a mallctl did not give a value; `bytes` is the value's true size where that was the reason and jemalloc told it, else 0. */
export interface MallctlRefusal {
  readonly errno: number;
  readonly bytes: number;
}

/** A value as it crosses between JavaScript and the addon; null is a C string that is NULL. */
export type RawMallctlValue = boolean | number | bigint | string | readonly bigint[] | null;

/**
 * jemalloc's control interface. Types are the codes of MALLCTL_TYPES; `form` is 0 for integers by their type, 1 for bigint, 2 for the
 * nearest number. Everything is undefined where this process has no jemalloc.
 */
export interface MallctlAddon {
  mallctlRead(name: string, type: number, form: number): RawMallctlValue | MallctlRefusal | undefined;
  /** Gives the value before where `oldType` is not 0, else true. Integers are written as bigint. */
  mallctlWrite(
    name: string,
    type: number,
    value: boolean | bigint | string | undefined,
    oldType: number,
    form: number,
  ): RawMallctlValue | MallctlRefusal | undefined;
  /** Advances the epoch; an error number or 0. */
  mallctlRefresh(): number | undefined;
  /** A function that advances the epoch and fills an array; it gives the error number of the first or 0. */
  openMallctlSampler(
    names: readonly string[],
    types: readonly number[],
  ): ((counters: Float64Array) => number) | undefined;
}

/** The heap profiler in this process (`native/shared/profiler.h`). Numbers are error numbers of the system, 0 for none. */
export interface ProfilerAddon {
  /** `lgSample` -1 leaves the distance between samples; `flags`: 1 carries stacks into the thread pool, 2 forgets what was sampled before. */
  profilerStart(lgSample: number, flags: number): number;
  profilerStop(): number;
  /** `path` is absolute, and must not exist. */
  profilerCapture(path: string): number;
  /** JSON of a `ProfilerState`. */
  profilerState(): string;
  /** V8 tells of the code of this thread's isolate, from now on. */
  profilerListen(): number;
  profilerStopListening(): void;
}

/** The addon's own functions. Everything is synchronous; only translated mallctl names outlive a call. */
interface Addon extends MallctlAddon, Partial<ProfilerAddon> {
  replaceProcess(path: Buffer, argv: readonly Buffer[], keepIgnored: boolean): number;
  setInheritable(descriptor: number, inheritable: boolean): number;
  setOpenFilesSoftLimit(soft: number): number;
  hasFileCapabilities(path: Buffer): boolean;
  readJemalloc(): InProcessJemalloc | undefined;
  /** These five are there on Linux only. */
  startAgent?(folder: string): { readonly path: string } | { readonly reason: string };
  stopAgent?(): void;
  publishNodeFacts?(text: string): boolean;
  withdrawNodeFacts?(): void;
  /** How often the agent was asked to have JavaScript count its ArrayBuffers. */
  nodeCountsAsked?(): number;
}

type Loading = { readonly addon: Addon; readonly folder: string } | { readonly failure: string };

let loading: Loading | undefined;

/** The folder of this process's native files, as `native/build.mjs` names them. */
function prebuildFolder(): string {
  const root = `${dirname(import.meta.dirname)}/prebuilds`;
  const platform = `${process.platform}-${process.arch}`;
  return `${root}/${process.platform === 'linux' ? `${platform}-${runningLibc()}` : platform}`;
}

const MUSL_NAMES: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  arm: 'armhf',
  ia32: 'i386',
  ppc64: 'powerpc64le',
  loong64: 'loongarch64',
};

/** musl takes a file that was built for glibc without a word, until a symbol is missing: trying would not tell. */
function runningLibc(): 'glibc' | 'musl' {
  // Where musl's loader is not installed, this node cannot run on it; elsewhere it may be another program's.
  if (!existsSync(`/lib/ld-musl-${MUSL_NAMES[process.arch] ?? process.arch}.so.1`)) return 'glibc';
  return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc';
}

function loadAddon(): Loading {
  if (loading) return loading;
  const folder = prebuildFolder();
  const path = `${folder}/jemkit.node`;
  if (!existsSync(path)) {
    loading = { failure: 'it was not built for this platform' };
    return loading;
  }
  try {
    // What `require` does in the end, without its search for a package around the file.
    const module = { exports: {} };
    process.dlopen(module, path);
    loading = { addon: module.exports as Addon, folder };
  } catch (error) {
    loading = { failure: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
  return loading;
}

/** Whether the addon loads, and why not when it does not. */
export function nativeStatus(): { readonly kind: 'loaded' } | { readonly kind: 'missing'; readonly reason: string } {
  const native = loadAddon();
  return 'failure' in native ? { kind: 'missing', reason: native.failure } : { kind: 'loaded' };
}

/** The preloaded helper library (`native/agent`), or undefined where it was not built for this platform. */
export function agentLibraryPath(): string | undefined {
  const native = loadAddon();
  if ('failure' in native) return undefined;
  const path = `${native.folder}/libjemkit.so`;
  return existsSync(path) ? path : undefined;
}

/**
 * Replaces this process with another program (execve). Signals Node ignores go back to their defaults first. The environment
 * is the process's real one, byte for byte, with what was assigned to `process.env`.
 *
 * @param keepIgnored SIGPIPE and SIGXFSZ stay ignored.
 * @returns only on failure: the error number (`os.constants.errno`), or undefined where the addon is missing.
 */
export function replaceProcess(path: string, argv: readonly Buffer[], keepIgnored: boolean): number | undefined {
  const native = loadAddon();
  return 'failure' in native ? undefined : native.addon.replaceProcess(Buffer.from(path), argv, keepIgnored);
}

/** Sets or clears a descriptor's close-on-exec flag. Returns 0, an error number, or undefined without the addon. */
export function setInheritable(descriptor: number, inheritable: boolean): number | undefined {
  const native = loadAddon();
  return 'failure' in native ? undefined : native.addon.setInheritable(descriptor, inheritable);
}

/** Lowers this process's soft RLIMIT_NOFILE. Returns 0, an error number, or undefined without the addon. */
export function setOpenFilesSoftLimit(soft: number): number | undefined {
  const native = loadAddon();
  return 'failure' in native ? undefined : native.addon.setOpenFilesSoftLimit(soft);
}

/** Whether the file at `path` carries file capabilities (setcap); undefined without the addon. */
export function hasFileCapabilities(path: string): boolean | undefined {
  const native = loadAddon();
  return 'failure' in native ? undefined : native.addon.hasFileCapabilities(Buffer.from(path));
}

/** jemalloc as it is inside this process, whatever put it there; undefined where there is none (or no addon). */
export function readInProcessJemalloc(): InProcessJemalloc | undefined {
  const native = loadAddon();
  return 'failure' in native ? undefined : native.addon.readJemalloc();
}

/** The addon's mallctl functions; undefined where it does not load. */
export function mallctlAddon(): MallctlAddon | undefined {
  const native = loadAddon();
  return 'failure' in native ? undefined : native.addon;
}

/** The addon's profiler; undefined where it does not load, or was built without (it is there on Linux only). */
export function profilerAddon(): ProfilerAddon | undefined {
  const native = loadAddon();
  return 'failure' in native || !native.addon.profilerStart ? undefined : (native.addon as Addon & ProfilerAddon);
}

/** Whether this process's agent has a socket. */
export type AgentStart =
  | { readonly kind: 'open'; readonly path: string }
  /** `reason` names the folder, what is wrong with it, and the error number. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Opens this process's agent, `<folder>/jemkit-<euid>/<pid>.node.sock`: a thread in the addon that answers as `native/shared/wire.h` says. There is one
 * for all threads of the process; it goes when every one that started it has stopped it or ended.
 *
 * @returns undefined where the addon is missing, or the system is not Linux.
 */
export function startAgent(options: { readonly folder?: string | undefined } = {}): AgentStart | undefined {
  const native = loadAddon();
  if ('failure' in native || !native.addon.startAgent) return undefined;
  const named = options.folder ?? process.env['JEMKIT_AGENT_DIR'];
  const started = native.addon.startAgent(named?.startsWith('/') ? named : '/tmp');
  return 'path' in started ? { kind: 'open', path: started.path } : { kind: 'failed', reason: started.reason };
}

/** This thread needs the process's agent no longer. */
export function stopAgent(): void {
  const native = loadAddon();
  if (!('failure' in native)) native.addon.stopAgent?.();
}

/**
 * What the agent answers for this thread when it is asked about JavaScript, until it is told anew or the thread ends: the JSON of a `NodeFacts` with
 * one isolate. The agent joins those of all threads.
 */
export function publishNodeFacts(text: string): void {
  const native = loadAddon();
  if (!('failure' in native)) native.addon.publishNodeFacts?.(text);
}

/** Takes back what this thread published. */
export function withdrawNodeFacts(): void {
  const native = loadAddon();
  if (!('failure' in native)) native.addon.withdrawNodeFacts?.();
}

/** How often the agent was asked to have JavaScript count its ArrayBuffers. */
export function nodeCountsAsked(): number {
  const native = loadAddon();
  return 'failure' in native ? 0 : (native.addon.nodeCountsAsked?.() ?? 0);
}
