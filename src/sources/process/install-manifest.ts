import { readFileSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import { PRELOADABLE_ALLOCATORS } from '../../model/allocator.js';
import type { InstalledFile, InstallManifest } from '../../model/installed-library.js';

const isText = (value: unknown): value is string => typeof value === 'string';

function isFile(value: unknown): value is InstalledFile {
  const file = value as Partial<InstalledFile> | null;
  return (
    typeof file === 'object' &&
    file !== null &&
    isText(file.path) &&
    isText(file.sha256) &&
    Number.isSafeInteger(file.bytes)
  );
}

/** Parses a `manifest.json`; undefined where it is not one of ours, damaged, or of a later format. */
export function parseInstallManifest(text: string): InstallManifest | undefined {
  let value: Partial<InstallManifest> | null;
  try {
    value = JSON.parse(text) as Partial<InstallManifest> | null;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || value.format !== 1) return undefined;
  const { allocator, version, manager, package: name, packageVersion, source, installedAt, archives, files } = value;
  if (!allocator || !PRELOADABLE_ALLOCATORS.includes(allocator)) return undefined;
  if (version !== undefined && !isText(version)) return undefined;
  if (!isText(manager) || !isText(name) || !isText(packageVersion) || !isText(source) || !isText(installedAt))
    return undefined;
  if (!Array.isArray(archives) || !archives.every(isFile) || !Array.isArray(files) || !files.every(isFile))
    return undefined;
  return {
    format: 1,
    allocator,
    version,
    manager,
    package: name,
    packageVersion,
    source,
    installedAt,
    archives,
    files,
  };
}

/** The manifest at `path`, or undefined where there is none that can be read. */
export function readInstallManifest(path: string): InstallManifest | undefined {
  try {
    return parseInstallManifest(readFileSync(path, 'utf8'));
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
