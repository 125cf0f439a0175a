import { dirname, join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { AllocatorLibrary, FileIdentity } from '../../model/allocator.js';
import type { LibraryProbe } from '../../model/probe.js';
import type { ResolvedProgram } from '../../model/program.js';
import { agentLibraryPath } from '../../native.js';
import { readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from '../../sources/file-system.js';
import { makeFolder } from '../../sources/make-folder.js';
import { cacheFolders, fallbackCacheFolder, isPrivateFolder } from '../../sources/process/jemkit-folders.js';
import { readSeccompMode } from '../../sources/procfs/process-status.js';
import { preloadVariable } from './preload-variable.js';
import { FILTER_QUESTION, PROBE_QUESTIONS, probeLibrary } from './probe-library.js';

const MAX_ENTRIES = 200;
const VERSION = 1;

interface CacheFile {
  readonly version: typeof VERSION;
  readonly probes: Record<string, LibraryProbe>;
}

const stamp = (identity: FileIdentity) =>
  `${identity.device}:${identity.inode}:${identity.mtimeMs}:${identity.sizeBytes}`;

/** The agent asks in every probe, so that an answer says of it, too, that it loads. */
function agentStamp(): string {
  const agent = agentLibraryPath();
  if (agent === undefined) return '';
  const { dev: device, ino: inode, mtimeMs, size: sizeBytes } = statSync(agent);
  return stamp({ device, inode, mtimeMs, sizeBytes });
}

/** All that a probe's outcome depends on, as far as it can be known without probing. */
function cacheKey(program: ResolvedProgram, library: AllocatorLibrary, environment: NodeJS.ProcessEnv): string {
  const interpreter = program.steps.at(-1);
  return [
    agentStamp(),
    interpreter ? stamp(interpreter.identity) : '',
    stamp(library.identity),
    library.path,
    environment[preloadVariable()] ?? '',
    environment['LD_LIBRARY_PATH'] ?? '',
    environment['MALLOC_CONF'] ?? '',
  ].join('|');
}

/** The folder shared with other users counts only where nobody else can have made it. */
function cachePath(environment: NodeJS.ProcessEnv): string | undefined {
  const uid = process.geteuid?.();
  const folder = cacheFolders(environment, uid)[0];
  if (folder === undefined) return undefined;
  const shared = uid !== undefined && folder === fallbackCacheFolder(uid);
  return shared && !isPrivateFolder(folder, uid) ? undefined : join(folder, 'probes.json');
}

function readCache(path: string): CacheFile {
  try {
    const content = JSON.parse(readFileSync(path, 'utf8')) as Partial<CacheFile> | null;
    if (content?.version === VERSION && content.probes && typeof content.probes === 'object')
      return content as CacheFile;
  } catch (error) {
    // Absent, unreadable or damaged: the probe is made again.
    if (!isSystemError(error) && !(error instanceof SyntaxError)) throw error;
  }
  return { version: VERSION, probes: {} };
}

function writeCache(path: string, cache: CacheFile): void {
  const beside = `${path}.${process.pid}`;
  try {
    makeFolder(dirname(path));
    writeFileSync(beside, JSON.stringify(cache), { mode: 0o600, flag: 'wx' });
    renameSync(beside, path);
  } catch (error) {
    // A read-only home costs the next start a probe, nothing more.
    if (!isSystemError(error)) throw error;
    if (error.code !== 'EEXIST') removeQuietly(beside);
  }
}

/** A full disk leaves the beginning of a file. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/**
 * {@link probeLibrary}, remembered per program and library until either file changes. Not under a system call filter (seccomp): what another one
 * let pass says nothing of this one.
 *
 * @param agent whether an agent may have to act in the program: then it is tried under that filter, too.
 */
export function probeLibraryOnce(
  program: ResolvedProgram,
  library: AllocatorLibrary,
  environment: NodeJS.ProcessEnv,
  agent: boolean,
): LibraryProbe {
  if (agent && readSeccompMode() !== 0)
    return probeLibrary(program, library, environment, [...PROBE_QUESTIONS, FILTER_QUESTION]);
  const path = cachePath(environment);
  const key = cacheKey(program, library, environment);
  const cache = path === undefined ? undefined : readCache(path);
  const known = cache?.probes[key];
  if (known?.kind === 'works' && typeof known.serving === 'string') return known;
  const probe = probeLibrary(program, library, environment);
  // Failures are not remembered: installing the missing dependency changes neither file.
  if (path !== undefined && cache && probe.kind === 'works') {
    const kept = Object.entries(cache.probes).slice(-(MAX_ENTRIES - 1));
    writeCache(path, { version: VERSION, probes: Object.fromEntries([...kept, [key, probe]]) });
  }
  return probe;
}
