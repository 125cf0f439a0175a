import type { MallctlAccess, MallctlType } from './mallctl-keys/row.js';

/** Why there is no value, or why nothing was written: what a caller must reckon with. */
export type MallctlFailure =
  /** jemalloc is not in this process, or the addon does not load here. */
  | { readonly kind: 'no-jemalloc' }
  /** This release or build does not have the key, or there is nothing at this index. */
  | { readonly kind: 'absent' }
  /** No jemalloc 5 has a key of this name. */
  | { readonly kind: 'unknown-key' }
  /** The key is not for what was asked. */
  | { readonly kind: 'wrong-access'; readonly access: MallctlAccess }
  /** jemkit leaves this key alone. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** In this jemalloc the value has another size than the table says. Nothing was read or written. */
  | { readonly kind: 'size-mismatch'; readonly type: MallctlType; readonly actualBytes: number | undefined }
  /** jemalloc said no: an error number of the system. */
  | { readonly kind: 'failed'; readonly errno: number };

/** What reading a key gave. */
export type MallctlRead<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  /** A text that is not set. */
  | { readonly kind: 'unset' }
  /** A size above 2^53 that no number holds exactly: a limit meant as infinite. */
  | { readonly kind: 'inexact'; readonly exact: bigint }
  | MallctlFailure;

/** What writing a key gave. */
export type MallctlWrite =
  | { readonly kind: 'done' }
  | { readonly kind: 'wrong-value'; readonly expected: string }
  | MallctlFailure;
