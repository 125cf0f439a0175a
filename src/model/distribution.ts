/** What `/etc/os-release` says of a Linux system; a field it does not have is undefined. */
export interface Distribution {
  readonly id: string | undefined;
  /** The distributions it descends from, the nearest first. */
  readonly idLike: readonly string[];
  readonly versionId: string | undefined;
  readonly prettyName: string | undefined;
}
