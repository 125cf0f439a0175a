/** Whether the agent can act under the system call filters (seccomp) of this process, which a program that it starts inherits. */
export type FilterTrial =
  /** `proof` is what JEMKIT_AGENT_FILTERS is to say. */
  | { readonly kind: 'works'; readonly proof: string }
  /** The process that tried was ended for this call, or got no answer. */
  | { readonly kind: 'fatal'; readonly call: string }
  | { readonly kind: 'refused'; readonly call: string; readonly errno: number }
  /** It cannot be told which filters a process has: by Linux before 5.9. */
  | { readonly kind: 'uncounted' };

/** What a real start of a program with a candidate library showed. */
export type LibraryProbe =
  | {
      readonly kind: 'works';
      /** The allocator that answered a malloc inside that program. */
      readonly serving: 'jemalloc' | 'mimalloc' | 'tcmalloc' | 'system';
      /** The allocator's own version text, where it has one. */
      readonly version: string | undefined;
      /** Answers to the mallctl names asked for; a name it does not know is absent. */
      readonly answers: Readonly<Record<string, string>>;
      /** What the loader and the allocator said on stderr, a line each. */
      readonly messages: readonly string[];
      /** Undefined where there are no filters, or nobody asked. */
      readonly filters?: FilterTrial;
    }
  | {
      readonly kind: 'fails';
      /** The program would not have started: the loader's or the allocator's own words. */
      readonly message: string;
      readonly exitCode: number | undefined;
      readonly signal: string | undefined;
      /** Everything on stderr, a line each. */
      readonly messages?: readonly string[];
    }
  /** It could not be tried; the reason is one clause. */
  | { readonly kind: 'untried'; readonly reason: string };
