/** Where jemalloc takes options from, in the order it reads them; of an option given twice the last counts. */
export type ConfSource =
  | 'compiled-in'
  | 'malloc_conf-symbol'
  | 'etc-malloc-conf'
  | 'environment'
  | 'malloc_conf_2-symbol';

/** One thing jemalloc says on stderr about its options. */
export type JemallocMessage =
  /** With `confirm_conf:true`: a source and the string it holds, empty where it holds none. */
  | { readonly kind: 'source'; readonly source: ConfSource; readonly conf: string }
  /** With `confirm_conf:true`: a pair that was accepted. */
  | { readonly kind: 'accepted'; readonly key: string; readonly value: string }
  /** A pair that was not; `reason` is jemalloc's own word. */
  | { readonly kind: 'refused'; readonly key: string; readonly value: string; readonly reason: string }
  /** The string could not be read to its end. */
  | { readonly kind: 'syntax'; readonly text: string }
  /** `abort_conf:true` ended the process. */
  | { readonly kind: 'aborted' }
  | { readonly kind: 'other'; readonly text: string };
