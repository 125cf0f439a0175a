import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { ImageFacts } from '../../model/allocator-identity.js';
import { makeFolder } from '../../sources/make-folder.js';
import type { ImageFactsStore } from '../../sources/process/mapped-images.js';

/** To be raised with every change of what is read from an image, so that old answers are not believed. */
const VERSION = 2;
const MAX_ENTRIES = 1000;
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const FILE_NAME = 'image-facts.json';

/** An {@link ImageFactsStore} with a file behind it. */
export interface ImageFactsCache extends ImageFactsStore {
  /** Writes what was learned since it was opened. A folder that cannot be written costs the next run its reading, nothing more. */
  save(): void;
}

function isFacts(value: unknown): value is ImageFacts | null {
  if (value === null) return true;
  const facts = value as Partial<ImageFacts>;
  return (
    typeof value === 'object' &&
    (facts.bits === 32 || facts.bits === 64) &&
    Array.isArray(facts.segments) &&
    facts.segments.every((segment) => Array.isArray(segment) && segment.every(Number.isFinite)) &&
    Array.isArray(facts.needed) &&
    Array.isArray(facts.mallocSlots) &&
    facts.mallocSlots.every(Number.isFinite)
  );
}

/** Parses the cache's file; what is damaged or of another version is left out, and read again from the images. */
export function parseImageFactsCache(text: string): Map<string, ImageFacts | null> {
  try {
    const content = JSON.parse(text) as { version?: unknown; images?: unknown } | null;
    if (content?.version !== VERSION || typeof content.images !== 'object' || content.images === null) return new Map();
    return new Map(
      Object.entries(content.images).filter((entry): entry is [string, ImageFacts | null] => isFacts(entry[1])),
    );
  } catch (error) {
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
}

function readEntries(path: string): Map<string, ImageFacts | null> {
  try {
    const content = readFileSync(path);
    return content.length > MAX_FILE_BYTES ? new Map() : parseImageFactsCache(content.toString('utf8'));
  } catch (error) {
    if (isSystemError(error)) return new Map();
    throw error;
  }
}

/** Half a file is left where the disk is full, none where the folder cannot be written. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Opens the cache of a folder; without one it lasts as long as the process. */
export function openImageFactsCache(folder: string | undefined): ImageFactsCache {
  const path = folder === undefined ? undefined : join(folder, FILE_NAME);
  const entries = path === undefined ? new Map<string, ImageFacts | null>() : readEntries(path);
  let changed = false;
  return {
    find: (key) => {
      const facts = entries.get(key);
      // JSON has no undefined: a field that was undefined is absent, which reads the same.
      return facts;
    },
    keep: (key, facts) => {
      entries.set(key, facts);
      changed = true;
    },
    save: () => {
      if (!changed || path === undefined || folder === undefined) return;
      const beside = `${path}.${process.pid}`;
      try {
        makeFolder(folder);
        const images = Object.fromEntries([...entries].slice(-MAX_ENTRIES));
        writeFileSync(beside, JSON.stringify({ version: VERSION, images }), { mode: 0o600, flag: 'wx' });
        renameSync(beside, path);
        changed = false;
      } catch (error) {
        if (!isSystemError(error)) throw error;
        removeQuietly(beside);
      }
    },
  };
}
