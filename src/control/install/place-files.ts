import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { InstallManifest } from '../../model/installed-library.js';
import { describeFile } from './present-library.js';

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces `target` in one step that also survives a power cut: it is the old file or the new one, never half of one. */
function replaceFile(beside: string, target: string): void {
  syncPath(beside);
  renameSync(beside, target);
  syncPath(dirname(target));
}

function writeManifest(incoming: string, target: string, manifest: InstallManifest): void {
  const beside = join(incoming, `manifest-${randomBytes(4).toString('hex')}.json`);
  writeFileSync(beside, `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o644, flag: 'wx' });
  replaceFile(beside, target);
}

/** Puts a library and its manifest where `jem run` finds them. The path stays the same over updates: services hand it on. */
export function placeLibrary(
  library: string,
  target: string,
  manifestPath: string,
  incoming: string,
  manifest: Omit<InstallManifest, 'files'>,
): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  const beside = join(incoming, basename(target));
  copyFileSync(library, beside, constants.COPYFILE_EXCL);
  const file = describeFile(beside);
  replaceFile(beside, target);
  writeManifest(incoming, manifestPath, { ...manifest, files: [file] });
}

/** pkg-config files name the folders of the system's own copy. */
function relocatePkgConfig(root: string, paths: readonly string[], target: string): void {
  for (const path of paths.filter((name) => name.endsWith('.pc'))) {
    const file = join(root, path);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^(\w+=)\/usr\b/gm, `$1${join(target, 'usr')}`));
  }
}

/**
 * Puts an unpacked package tree at `target`. That is a link to the tree's own folder beside it, because a link is replaced in
 * one step and a folder is not.
 */
export function placeDevelopmentTree(
  root: string,
  target: string,
  incoming: string,
  manifest: Omit<InstallManifest, 'files'>,
): void {
  const parent = dirname(target);
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  relocatePkgConfig(root, paths, target);
  const files = paths.map((path) => describeFile(join(root, path), path));
  for (const { path } of files) syncPath(join(root, path));
  writeManifest(incoming, join(root, 'manifest.json'), { ...manifest, files });
  // It was made for this user alone; what is in it is to be read by compilers, whoever starts them.
  chmodSync(root, 0o755);
  const own = `.${basename(target)}-${randomBytes(4).toString('hex')}`;
  renameSync(root, join(parent, own));
  const link = join(incoming, 'development-link');
  symlinkSync(own, link);
  renameSync(link, target);
  syncPath(parent);
  removeOldTrees(parent, basename(target));
}

/** Removes trees that the link of a platform no longer leads to. */
function removeOldTrees(parent: string, platform: string): void {
  const current = readlinkSync(join(parent, platform));
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`.${platform}-`) && name !== current)
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** A private folder beside the libraries, so that a rename out of it is one step. */
export function makeIncomingFolder(cacheFolder: string): string {
  const libraries = join(cacheFolder, 'libraries');
  mkdirSync(libraries, { recursive: true, mode: 0o755 });
  const incoming = join(libraries, `.incoming-${process.pid}-${randomBytes(4).toString('hex')}`);
  mkdirSync(incoming, { mode: 0o700 });
  return incoming;
}

/** Removes what killed installations left. Only for the holder of the lock: nobody else is installing then. */
export function sweepIncoming(cacheFolder: string): void {
  const libraries = join(cacheFolder, 'libraries');
  let names: string[];
  try {
    names = readdirSync(libraries);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return;
    throw error;
  }
  for (const name of names.filter((entry) => entry.startsWith('.incoming-'))) {
    try {
      rmSync(join(libraries, name), { recursive: true, force: true });
    } catch (error) {
      // A package manager whose parent was killed may still be writing there: the next installation removes it.
      if (!isSystemError(error)) throw error;
    }
  }
}
