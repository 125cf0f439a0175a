import type { AllocatorLibrary, AllocatorName } from './allocator.js';
import type { LibrarySource } from './library-search.js';
import type { LibraryProbe } from './probe.js';
import type { ResolvedProgram } from './program.js';

/** Why a program runs with the system allocator although another was asked for. */
export interface LaunchFallback {
  readonly reason:
    | 'no-library'
    | 'library-unusable'
    | 'program-unpreloadable'
    | 'library-fails'
    | 'malloc-conf-fails'
    | 'library-does-not-serve'
    | 'ipc-messages-would-be-lost'
    | 'stdin-script-would-be-lost'
    | 'native-part-missing'
    | 'preload-had-no-effect';
  /** One clause for people. */
  readonly cause: string;
  /** What to type or change. */
  readonly remedy: string;
}

/** Where the agent is to act: in every program of the tree, in those it was proven on, or nowhere. */
export type AgentMode = 'always' | 'auto' | 'off';

/** Whether a launch preloads the agent, and why not where it was to. */
export type AgentPlan =
  | { readonly kind: 'preloaded'; readonly mode: Exclude<AgentMode, 'off'>; readonly path: string }
  | {
      readonly kind: 'left-out';
      readonly mode: Exclude<AgentMode, 'off'>;
      readonly reason:
        | 'no-jemalloc'
        | 'native-part-missing'
        | 'path'
        | 'program'
        | 'untried'
        | 'unreadable-for-others'
        | 'filtered';
      /** One clause for people. */
      readonly cause: string;
      /** What to type or change. */
      readonly remedy: string;
    }
  | { readonly kind: 'off' };

/** Whether heap profiling can be switched on later in what a launch starts; jemalloc takes `prof:true` at its start only. */
export type ProfilingPlan =
  /** MALLOC_CONF gets `prof:true,prof_active:false`: compiled in, off, at no measurable cost. */
  | { readonly kind: 'ready' }
  /** What the user set of profiling stays as it is. */
  | { readonly kind: 'as-configured'; readonly option: string }
  /** One clause for people. */
  | { readonly kind: 'left-out'; readonly cause: string }
  | { readonly kind: 'off' };

/** All that is decided about a launch before anything happens. */
export interface LaunchPlan {
  readonly program: ResolvedProgram;
  readonly allocator: AllocatorName;
  readonly library: AllocatorLibrary | undefined;
  readonly librarySource: LibrarySource | 'inherited' | undefined;
  readonly probe: LibraryProbe | undefined;
  /** Changes to the environment; undefined takes a variable out. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Other allocators that were preloaded and are taken out: two in one process abort it as soon as they meet. */
  readonly displaced: readonly string[];
  readonly fallback: LaunchFallback | undefined;
  readonly agent: AgentPlan;
  readonly profiling: ProfilingPlan;
}
