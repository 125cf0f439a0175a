import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** The addon's own functions. Everything is synchronous and allocates nothing that outlives the call. */
interface Addon {
  replaceProcess(path: Buffer, argv: readonly Buffer[]): number;
  setInheritable(descriptor: number, inheritable: boolean): number;
  setOpenFilesSoftLimit(soft: number): number;
  hasFileCapabilities(path: Buffer): boolean;
  readJemalloc(): InProcessJemalloc | undefined;
}

type Loading = { readonly addon: Addon; readonly folder: string } | { readonly failure: string };

let loading: Loading | undefined;

/** The folders that may hold this process's native files, as `native/build.mjs` names them. */
function prebuildFolders(): string[] {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'prebuilds');
  const platform = `${process.platform}-${process.arch}`;
  // A node built for musl refuses the glibc file and the other way round: trying is cheaper than asking which one this is.
  return process.platform === 'linux'
    ? [join(root, `${platform}-glibc`), join(root, `${platform}-musl`)]
    : [join(root, platform)];
}

function loadAddon(): Loading {
  if (loading) return loading;
  const require = createRequire(import.meta.url);
  let failure = 'it was not built for this platform';
  for (const folder of prebuildFolders()) {
    const path = join(folder, 'jemkit.node');
    if (!existsSync(path)) continue;
    try {
      loading = { addon: require(path) as Addon, folder };
      return loading;
    } catch (error) {
      failure = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    }
  }
  loading = { failure };
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
  const path = join(native.folder, 'libjemkit.so');
  return existsSync(path) ? path : undefined;
}

/**
 * Replaces this process with another program (execve). Signals Node ignores go back to their defaults first. The environment
 * is the process's real one, byte for byte, with what was assigned to `process.env`.
 *
 * @returns only on failure: the error number (`os.constants.errno`), or undefined where the addon is missing.
 */
export function replaceProcess(path: string, argv: readonly Buffer[]): number | undefined {
  const native = loadAddon();
  return 'failure' in native ? undefined : native.addon.replaceProcess(Buffer.from(path), argv);
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
