import { compareJemallocVersions, type JemallocVersion } from '../model/jemalloc-version.js';
import { MALLOC_CONF_OPTIONS, type OptionRow } from '../model/malloc-conf-options.js';

type Availability = { readonly kind: 'here'; readonly row: OptionRow } | { readonly kind: 'removed' | 'later' };

/** Whether a release reads an option. */
export function optionIn(row: OptionRow, version: JemallocVersion): Availability {
  const within = (since: JemallocVersion, removedIn: JemallocVersion | undefined) =>
    compareJemallocVersions(version, since) >= 0 && (!removedIn || compareJemallocVersions(version, removedIn) < 0);
  if (within(row.since, row.removedIn)) {
    const { words: _words, wordsSince, ...without } = row;
    return { kind: 'here', row: wordsSince && compareJemallocVersions(version, wordsSince) < 0 ? without : row };
  }
  const { earlier } = row;
  if (earlier && within(earlier.since, earlier.removedIn)) return { kind: 'here', row: { ...row, type: earlier.type } };
  return { kind: compareJemallocVersions(version, row.since) < 0 ? 'later' : 'removed' };
}

/** Names a release reads, or where none is known those that some 5.x reads. */
export function namesFor(version: JemallocVersion | undefined): string[] {
  return Object.entries<OptionRow>(MALLOC_CONF_OPTIONS)
    .filter(([, row]) => optionIn(row, version ?? '5.3.1').kind === 'here' || (!version && row.removedIn !== '5.0.0'))
    .map(([name]) => name);
}
