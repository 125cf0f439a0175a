import type { PreloadableAllocator } from './allocator.js';

/** A file jemkit put on disk, and how to see later that it is still the same. */
export interface InstalledFile {
  /** Relative to the folder of the manifest. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** `manifest.json`, beside what `jem install` put into jemkit's cache. */
export interface InstallManifest {
  readonly format: 1;
  readonly allocator: PreloadableAllocator;
  /** The allocator's own version (`5.3.0`); undefined where neither it nor its package tells. */
  readonly version: string | undefined;
  readonly manager: string;
  readonly package: string;
  /** As the package manager counts: `5.3.0-1`. */
  readonly packageVersion: string;
  /** Who vouched for the downloaded archive. */
  readonly source: string;
  /** ISO 8601, UTC. */
  readonly installedAt: string;
  readonly archives: readonly InstalledFile[];
  readonly files: readonly InstalledFile[];
}
