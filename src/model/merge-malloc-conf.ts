/**
 * Joins MALLOC_CONF strings: of an option given twice the last counts, as in jemalloc, and stands at its place. Syntax is not judged
 * here.
 */
export function mergeMallocConf(...texts: ReadonlyArray<string | undefined>): string {
  const pairs = new Map<string, string>();
  for (const text of texts) {
    for (const pair of (text ?? '').split(',')) {
      if (pair === '') continue;
      const colon = pair.indexOf(':');
      const key = colon === -1 ? pair : pair.slice(0, colon);
      pairs.delete(key);
      pairs.set(key, pair);
    }
  }
  return [...pairs.values()].join(',');
}
