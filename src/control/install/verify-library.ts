import { readdirSync, realpathSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { isSystemError } from '../../errors.js';
import {
  type AllocatorLibrary,
  allocatorOfLibraryName,
  LIBRARY_FILE_NAMES,
  type PreloadableAllocator,
} from '../../model/allocator.js';
import { probeLibrary } from '../launch/probe-library.js';
import { examineLibrary } from '../library/examine-library.js';
import { installFailed } from './explain-failure.js';
import type { InstallTarget } from './present-library.js';

/** What a real start with the library showed. */
export interface VerifiedLibrary {
  readonly library: AllocatorLibrary;
  /** As the allocator itself says; undefined where it could not be tried or says nothing. */
  readonly version: string | undefined;
  readonly notes: readonly string[];
}

/** Finds the library in an unpacked package: the right name first, then the right architecture and C library by its headers. */
export function locateLibrary(root: string, allocator: PreloadableAllocator, target: InstallTarget): AllocatorLibrary {
  const names = LIBRARY_FILE_NAMES[allocator];
  const rank = (path: string) => (names.includes(basename(path)) ? names.indexOf(basename(path)) : names.length);
  const realRoot = realpathSync(root);
  const candidates = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => allocatorOfLibraryName(entry.name) === allocator && !entry.name.includes('_debug'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => rank(a) - rank(b) || a.length - b.length);
  const reasons: string[] = [];
  for (const candidate of candidates) {
    let path: string;
    try {
      path = realpathSync(candidate);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      continue;
    }
    // A link out of the package would make some other file of the system pass for what was downloaded.
    if (!path.startsWith(realRoot + sep)) {
      reasons.push(`${basename(candidate)} is a link to ${path}`);
      continue;
    }
    const examined = examineLibrary(path, allocator, target.target, true);
    if (examined.kind === 'usable') return { ...examined.library, allocator };
    reasons.push(`${basename(candidate)}: ${examined.detail}`);
  }
  throw installFailed(
    `the package holds no ${allocator} library for this node: ${reasons.join('; ') || 'no file of that name'}`,
    {
      hint: 'with a library from elsewhere: jem run --library PATH -- command',
      details: { expected: target.target },
    },
  );
}

/** Starts this node once with the library and asks who serves malloc. */
export function verifyLibrary(
  library: AllocatorLibrary,
  target: InstallTarget,
  environment: NodeJS.ProcessEnv,
): VerifiedLibrary {
  const {
    LD_PRELOAD: _preload,
    DYLD_INSERT_LIBRARIES: _insert,
    MALLOC_CONF: _conf,
    NODE_OPTIONS: _options,
    ...rest
  } = environment;
  const probe = probeLibrary(target, library, rest);
  if (probe.kind === 'untried')
    return { library, version: undefined, notes: [`the library was not tried: ${probe.reason}`] };
  if (probe.kind === 'fails') {
    throw installFailed(`${target.interpreter} does not start with the new library: ${probe.message}`, {
      hint: 'if a library it needs is missing, install that one (on Debian: libstdc++6); jem doctor says more',
      details: { exitCode: probe.exitCode, signal: probe.signal },
    });
  }
  if (probe.serving !== library.allocator) {
    const noexec = probe.messages.some((message) => /failed to map segment|cannot be preloaded/.test(message));
    throw installFailed(
      `this node still uses ${probe.serving} malloc with the new library in ${library.path}${probe.messages[0] ? `: ${probe.messages[0]}` : ''}`,
      {
        hint: noexec
          ? 'the folder may be mounted noexec: choose another, JEMKIT_CACHE_DIR=/some/other/folder jem install'
          : 'jem doctor says more',
        details: { serving: probe.serving },
      },
    );
  }
  // jemalloc: `5.3.0-0-g54eaed1d…`.
  return { library, version: probe.version?.replace(/-\d+-g[0-9a-f]+$/, ''), notes: [] };
}
