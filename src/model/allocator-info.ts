import type { AllocatorName } from './allocator.js';
import type { AllocatorArrival, ServingAllocator } from './allocator-identity.js';
import type { LibrarySource } from './library-search.js';

/** An allocator that programs on this machine can be started with. */
export interface AvailableAllocator {
  readonly allocator: AllocatorName;
  /** The library that would be preloaded; undefined for the C library's own malloc. */
  readonly libraryPath: string | undefined;
  /** As far as the library's file tells it. */
  readonly version: string | undefined;
  readonly source: LibrarySource | undefined;
}

/** Why something is not so, and what to do about it. */
export interface Reason {
  readonly cause: string;
  readonly remedy: string;
}

/** Whether the option that asks for something was given, and whether it is the case. */
export interface RequestedState {
  readonly requested: boolean;
  readonly on: boolean;
  /** Why not, where it was requested and is not. */
  readonly whyNot: Reason | undefined;
}

/** Heap profiling of this process. */
export interface ProfilingInfo extends RequestedState {
  /** `config.prof`: this jemalloc was built with profiling; undefined without jemalloc. */
  readonly compiledIn: boolean | undefined;
  /** `opt.prof`: it was started with `prof:true`, without which nothing can be profiled later. */
  readonly enabled: boolean | undefined;
}

/** MALLOC_CONF as it took effect. */
export interface ConfInfo {
  /** The pairs that were set and are in effect, as one string; undefined where none is. */
  readonly text: string | undefined;
  /** The same one by one, and who set it: a variable's name, `/etc/malloc.conf`, … `value` is what jemalloc says of itself (`opt.*`). */
  readonly set: readonly { readonly key: string; readonly value: string; readonly from: string }[];
  /** Pairs that were set and change nothing: misspelled, refused, or overridden by abort. */
  readonly ignored: readonly { readonly key: string; readonly value: string; readonly from: string }[];
  /** Every option of this jemalloc with the value in effect: `opt.*`. */
  readonly options: Readonly<Record<string, boolean | number | string>>;
}

/** Whether other processes of this user can ask (`jem stats`, `jem explain`). */
export type ObservableInfo =
  /** `path` is the socket, which only this user can open. */
  | { readonly kind: 'on'; readonly path: string }
  | { readonly kind: 'off' }
  | { readonly kind: 'failed'; readonly reason: string };

/** What {@link Memory.allocatorInfo} gives. */
export interface AllocatorInfo {
  /** Whose code answers malloc in this process; undefined where that cannot be told. */
  readonly current: ServingAllocator | undefined;
  /** As it says itself: `5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c`. */
  readonly version: string | undefined;
  /** The file that holds its code. */
  readonly libraryPath: string | undefined;
  /** How it came here: `preload`, `linked`, `static`, `system`, `dlopen`. */
  readonly arrival: AllocatorArrival | undefined;
  readonly available: readonly AvailableAllocator[];
  /** `useJemalloc` as it was given; undefined where it was not. */
  readonly requested: boolean | undefined;
  /** jemalloc serves this process. */
  readonly enabled: boolean;
  /** Why jemalloc does not serve; undefined where it does. */
  readonly whyNot: Reason | undefined;
  /** Whether `ensureJemalloc()` called now would start this process again under jemalloc, and why not. Nothing is started to find out. */
  readonly canSwitch: boolean;
  readonly whyNoSwitch: Reason | undefined;
  readonly profiling: ProfilingInfo;
  readonly tuning: RequestedState;
  /** Undefined without jemalloc. */
  readonly conf: ConfInfo | undefined;
  readonly observable: ObservableInfo;
}
