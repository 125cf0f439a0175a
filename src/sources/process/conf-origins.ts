import { readlinkSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { ConfOrigin } from '../../model/allocator-environment.js';

/** The file whose link target jemalloc reads as options. */
export const CONF_LINK = '/etc/malloc.conf';

/** What is at /etc/malloc.conf: a link's target holds options; a regular file is ignored by jemalloc. */
export function readConfLink(
  path: string,
): { readonly kind: 'link'; readonly text: string } | { readonly kind: 'file' } | { readonly kind: 'none' } {
  try {
    return { kind: 'link', text: readlinkSync(path) };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === 'EINVAL' ? { kind: 'file' } : { kind: 'none' };
  }
}

/** The variable that a build with this prefix reads: `_rjem_` reads `_RJEM_MALLOC_CONF`. */
export function confVariable(prefix: string): string {
  return `${prefix.toUpperCase()}MALLOC_CONF`;
}

/** What a jemalloc may take its options from, each as far as it is known. */
export interface ConfTexts {
  readonly prefix: string;
  readonly compiledIn: string | undefined;
  readonly symbol: string | undefined;
  /** Where /etc/malloc.conf is, seen from here. */
  readonly linkPath: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** The sources that hold anything, in the order jemalloc reads them. */
export function readConfOrigins({ prefix, compiledIn, symbol, linkPath, variables }: ConfTexts): ConfOrigin[] {
  const link = readConfLink(linkPath);
  const variable = confVariable(prefix);
  const origins: ConfOrigin[] = [
    { source: 'compiled-in', name: "the library's compiled-in options", text: compiledIn ?? '' },
    { source: 'malloc_conf-symbol', name: "the program's malloc_conf symbol", text: symbol ?? '' },
    { source: 'etc-malloc-conf', name: CONF_LINK, text: link.kind === 'link' ? link.text : '' },
    { source: 'environment', name: variable, text: variables[variable] ?? '' },
  ];
  return origins.filter(({ text }) => text !== '');
}
