/** A release of jemalloc, `major.minor.patch`. */
export type JemallocVersion = `${number}.${number}.${number}`;

/**
 * Takes the release out of what jemalloc says of itself (`5.3.0-0-g54eaed1d…`) or a person types (`5.3`); undefined where there is
 * none. A build from a tarball without git says `0.0.0-0-g000…`, which is no release.
 */
export function parseJemallocVersion(text: string): JemallocVersion | undefined {
  const match = /^\s*v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+_ ].*)?\s*$/s.exec(text);
  if (!match) return undefined;
  const version: JemallocVersion = `${Number(match[1])}.${Number(match[2])}.${Number(match[3] ?? 0)}`;
  return version === '0.0.0' ? undefined : version;
}

/** Below 0 where `a` is the earlier release, 0 where they are the same, above 0 where it is the later. */
export function compareJemallocVersions(a: JemallocVersion, b: JemallocVersion): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let at = 0; at < 3; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** True for the releases whose options and keys jemkit has tables of: 4.0 to 5.4. */
export function isKnownRelease(version: JemallocVersion): boolean {
  return compareJemallocVersions(version, '4.0.0') >= 0 && compareJemallocVersions(version, '5.5.0') < 0;
}
