import { readFileSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { Distribution } from '../../model/distribution.js';
import { PACKAGE_MANAGERS, type PackageManagerName } from '../../model/package-managers.js';
import { lookUpCommand } from './resolve-program.js';

const NOTHING: Distribution = { id: undefined, idLike: [], versionId: undefined, prettyName: undefined };

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Programs of administrators (apk is one) and Homebrew's are not in every user's PATH. */
const MORE_FOLDERS = '/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin';

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  return quoted ? (quoted[2] ?? '').replace(/\\(.)/g, '$1') : value;
}

/** Parses the text of os-release(5): shell-like assignments, of duplicates the last counts; other lines are passed over. */
export function parseOsRelease(text: string): Distribution {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) values.set(match[1], unquote(match[2] ?? ''));
  }
  const value = (name: string) => values.get(name) || undefined;
  return {
    id: value('ID'),
    idLike: value('ID_LIKE')?.split(/\s+/).filter(Boolean) ?? [],
    versionId: value('VERSION_ID'),
    prettyName: value('PRETTY_NAME'),
  };
}

/** The distribution of this system; every field undefined where it has no os-release file. */
export function readDistribution(paths: readonly string[] = ['/etc/os-release', '/usr/lib/os-release']): Distribution {
  if (process.platform === 'darwin') return { ...NOTHING, id: 'macos', prettyName: 'macOS' };
  for (const path of paths) {
    try {
      return parseOsRelease(readFileSync(path, 'utf8'));
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
  return NOTHING;
}

/** A PATH in which the programs of an administrator are found too. */
export function administratorPath(searchPath: string | undefined): string {
  return `${searchPath || DEFAULT_PATH}:${MORE_FOLDERS}`;
}

/** Where a program is in a PATH, or undefined. */
export function findProgram(name: string, searchPath: string): string | undefined {
  const found = lookUpCommand(name, searchPath);
  return found.kind === 'file' ? found.path : undefined;
}

/** The package managers whose program is in this PATH. */
export function findPackageManagers(searchPath: string): PackageManagerName[] {
  return PACKAGE_MANAGERS.filter(({ program }) => findProgram(program, searchPath) !== undefined).map(
    ({ name }) => name,
  );
}
