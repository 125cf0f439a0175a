import { accessSync, constants, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type {
  DevelopmentFiles,
  DevelopmentFilesSearch,
  IncompleteDevelopmentFiles,
} from '../../model/development-files.js';

/** Where to look. */
export interface DevelopmentFilesPlaces {
  /** jemkit's own trees, each with `usr` at its root. */
  readonly ownTrees: readonly string[];
  readonly pkgConfigPath: string | undefined;
  /** The root of the system: `/`, or a folder in tests. */
  readonly systemRoot: string;
  /** `x86_64-linux-gnu`, as Debian names its library folders. */
  readonly triplets: readonly string[];
  readonly homebrewPrefixes: readonly string[];
  readonly libraryNames: readonly string[];
}

interface Candidate {
  readonly source: DevelopmentFiles['source'];
  readonly include: string;
  readonly libraries: readonly string[];
}

/** The variables of a pkg-config file, each `${name}` in them resolved; unknown names stay as they are. */
export function parsePkgConfig(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Za-z0-9_.]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (!match) continue;
    variables.set(
      match[1]!,
      match[2]!.replace(/\$\{([A-Za-z0-9_.]+)\}/g, (whole, name: string) => variables.get(name) ?? whole),
    );
  }
  return variables;
}

/** JEMALLOC_VERSION in the text of `jemalloc.h`, or undefined. */
export function parseHeaderVersion(text: string): string | undefined {
  return /^\s*#\s*define\s+JEMALLOC_VERSION\s+"([^"]+)"/m.exec(text)?.[1];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

const under = (root: string, triplets: readonly string[]) => [
  ...triplets.map((triplet) => join(root, 'lib', triplet)),
  join(root, 'lib64'),
  join(root, 'lib'),
];

function* candidates(places: DevelopmentFilesPlaces): Generator<Candidate> {
  const { triplets, systemRoot } = places;
  for (const tree of places.ownTrees) {
    const prefix = join(tree, 'usr');
    yield { source: 'jemkit', include: join(prefix, 'include'), libraries: under(prefix, triplets) };
  }
  for (const folder of (places.pkgConfigPath ?? '').split(':').filter(isAbsolute)) {
    const text = readText(join(folder, 'jemalloc.pc'));
    const variables = text === undefined ? undefined : parsePkgConfig(text);
    const [include, library] = [variables?.get('includedir'), variables?.get('libdir')];
    if (include && library) yield { source: 'PKG_CONFIG_PATH', include, libraries: [library] };
  }
  for (const prefix of [join(systemRoot, 'usr', 'local'), join(systemRoot, 'usr')]) {
    yield { source: 'system', include: join(prefix, 'include'), libraries: under(prefix, triplets) };
  }
  for (const prefix of places.homebrewPrefixes) {
    yield { source: 'homebrew', include: join(prefix, 'include'), libraries: [join(prefix, 'lib')] };
  }
}

/**
 * Looks for `jemalloc/jemalloc.h` and a library to link beside it: in jemkit's own trees first, then PKG_CONFIG_PATH, the system's
 * folders and Homebrew's. No program is run.
 */
export function readDevelopmentFiles(places: DevelopmentFilesPlaces): DevelopmentFilesSearch {
  const incomplete: IncompleteDevelopmentFiles[] = [];
  for (const { source, include, libraries } of candidates(places)) {
    const header = readText(join(include, 'jemalloc', 'jemalloc.h'));
    const libraryFolder = libraries.find((folder) =>
      places.libraryNames.some((name) => isReadable(join(folder, name))),
    );
    if (header !== undefined && libraryFolder !== undefined) {
      const standard = source === 'system' && !include.includes(join('usr', 'local'));
      const files: DevelopmentFiles = {
        source,
        includeFolder: include,
        libraryFolder,
        version: parseHeaderVersion(header),
        standard: { include: standard, library: standard },
      };
      return { kind: 'found', files };
    }
    if (header !== undefined) incomplete.push({ folder: include, missing: 'library' });
    else if (libraryFolder !== undefined) incomplete.push({ folder: libraryFolder, missing: 'header' });
  }
  return { kind: 'none', incomplete };
}
