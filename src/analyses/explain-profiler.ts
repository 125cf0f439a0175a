import type { ProfilerRefusal } from '../model/profiler-outcome.js';
import { explainProfilingOff, type ProfilingSwitches } from './explain-profiling.js';

/** What else decides whether a process can be profiled. */
export interface ProfilerGround extends ProfilingSwitches {
  /** Why the addon does not load; undefined where it does. */
  readonly nativeTrouble: string | undefined;
}

/** Why no heap profile of this process can be taken; undefined where one can. `wantsActive`: also where sampling is merely switched off. */
export function explainNoProfile(ground: ProfilerGround, wantsActive: boolean): ProfilerRefusal | undefined {
  if (ground.nativeTrouble !== undefined) {
    return {
      kind: 'no-native-part',
      cause: `the native part of jemkit does not load: ${ground.nativeTrouble}`,
      remedy: 'npm rebuild jemkit   (needs gcc or clang)',
    };
  }
  const { compiledIn, enabled, active } = ground;
  if (compiledIn && enabled && !active) {
    if (!wantsActive) return undefined;
    return {
      kind: 'not-active',
      cause: 'profiling is switched off (prof.active)',
      remedy: 'profiler.start()',
    };
  }
  const reason = explainProfilingOff(ground);
  if (!reason) return undefined;
  const kind = compiledIn === undefined ? 'no-jemalloc' : compiledIn ? 'not-enabled' : 'not-compiled-in';
  return { kind, ...reason };
}

/** Why stacks have no JavaScript in them, and which library would. `why` is the native part's word for it. */
export function explainPlainStacks(
  why: string,
  version: string | undefined,
): { readonly cause: string; readonly remedy: string } {
  return {
    cause:
      `jemalloc ${version ?? ''} walks the stacks, which end where V8's code begins: ${why || 'jemkit is not asked for them'}`.replace(
        '  ',
        ' ',
      ),
    remedy:
      'run under jemalloc 5.3.0 or later, built with --enable-prof as Debian’s libjemalloc2 is (jem install gets it), on Linux with an official build of Node.js',
  };
}
