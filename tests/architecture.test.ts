import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from './support/programs.js';

const SOURCES = join(ROOT, 'src');

/**
 * What the files of each part may import of the other parts. A part is a folder of `src/`, or a file in it. Reads flow to the
 * right (sources, model, analyses, outputs); whatever changes the outside world is in control; cli only composes the others.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  model: [],
  errors: [],
  native: [],
  sources: ['model', 'errors', 'native'],
  analyses: ['model', 'errors'],
  outputs: ['model', 'errors'],
  control: ['model', 'errors', 'native', 'sources', 'analyses'],
  integrations: ['model', 'errors', 'native', 'sources', 'analyses', 'outputs', 'control'],
  cli: ['model', 'errors', 'native', 'sources', 'analyses', 'outputs', 'control'],
  entry: ['model', 'errors', 'native', 'sources', 'analyses', 'outputs', 'control', 'integrations'],
};

/** Node modules that neither read nor write: all that parts without I/O may import. */
const PURE_NODE_MODULES = ['node:util', 'node:path/posix'];

/** What scripts/compile.mjs makes of cli/run-cli.ts and all it imports. */
const BUNDLE = '../run-cli.cjs';

/** Packages, and the one part that may import each. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  commander: ['cli'],
  'pprof-format': ['sources', 'outputs'],
  '@jridgewell/trace-mapping': ['sources'],
};

/** Statements by how Biome lays them out, and calls with a literal. */
const IMPORTS = [
  /^(?:import|export|\})[^'"`]*\bfrom '([^']+)'/gm,
  /^import '([^']+)'/gm,
  /\b(?:import|require)\('([^']+)'\)/g,
  /\bload\('(\.[^']+)'\)/g,
];

interface Source {
  /** From src/, with forward slashes. */
  readonly name: string;
  readonly part: string;
  readonly text: string;
  readonly imports: readonly string[];
}

/** The code without comments: a comment may speak of what code may not do. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function readSources(): Source[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((name) => /\.[cm]?tsx?$/.test(name))
    .map((name) => {
      const text = withoutComments(readFileSync(join(SOURCES, name), 'utf8'));
      const imports = IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
      return { name, part: partOf(name), text, imports };
    });
}

function partOf(name: string): string {
  return (name.split('/')[0] ?? '').replace(/\.[cm]?[jt]s$/, '');
}

/** The part of `src/` that a relative import leads to. */
function targetOf(source: Source, specifier: string): string {
  return partOf(
    relative(SOURCES, join(SOURCES, dirname(source.name), specifier))
      .split(sep)
      .join('/'),
  );
}

const sources = readSources();
const offenders = (guilty: (source: Source) => boolean) => sources.filter(guilty).map(({ name }) => name);

describe('imports', () => {
  test('every part of src/ stands in the table', () => {
    expect([...new Set(sources.map(({ part }) => part))].filter((part) => !Object.hasOwn(ALLOWED, part))).toEqual([]);
  });

  test('go only where the table allows', () => {
    const wrong = sources.flatMap((source) =>
      source.imports
        .filter((specifier) => specifier.startsWith('.') && specifier !== BUNDLE)
        .map((specifier) => targetOf(source, specifier))
        .filter((target) => target !== source.part && !ALLOWED[source.part]?.includes(target))
        .map((target) => `${source.name} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('of Node: none in model, none that reads or writes in analyses and outputs', () => {
    const wrong = sources.flatMap((source) => {
      const allowed: readonly string[] | undefined = {
        model: [],
        analyses: PURE_NODE_MODULES,
        outputs: PURE_NODE_MODULES,
      }[source.part];
      const used = source.imports.filter((specifier) => specifier.startsWith('node:'));
      return allowed
        ? used.filter((name) => !allowed.includes(name)).map((name) => `${source.name} imports ${name}`)
        : [];
    });
    expect(wrong).toEqual([]);
  });

  test('of packages: only from the part that owns them', () => {
    const wrong = sources.flatMap((source) =>
      source.imports
        .filter((specifier) => !/^(\.|node:)/.test(specifier) && !PACKAGES[specifier]?.includes(source.part))
        .map((specifier) => `${source.name} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('parts without input and output', () => {
  test('do not look at the process they run in', () => {
    const pure = (source: Source) => ['model', 'analyses', 'outputs'].includes(source.part);
    expect(offenders((source) => pure(source) && /(?<![\w.'`/-])process\.[a-z]/.test(source.text))).toEqual([]);
  });
});

describe('the house', () => {
  test('only cli/main.cts ends the process', () => {
    expect(offenders((source) => /\bprocess\s*\.\s*exit\s*\(/.test(source.text))).toEqual(['cli/main.cts']);
  });

  test('only entry/ has files that re-export and nothing else', () => {
    const isBarrel = ({ text }: Source) => {
      const rest = text.replace(/export\s+(type\s+)?(\*|\{[^}]*\})(\s+as\s+\w+)?\s+from\s+'[^']+';/g, '').trim();
      return rest === '' && text.trim() !== '';
    };
    expect(offenders((source) => source.part !== 'entry' && isBarrel(source))).toEqual([]);
  });

  test('exports have names, and there are no enums', () => {
    expect(offenders((source) => /^export\s+default\b/m.test(source.text))).toEqual([]);
    expect(offenders((source) => /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s/m.test(source.text))).toEqual([]);
  });

  test('only native.ts names the addon', () => {
    expect(offenders((source) => source.text.includes('jemkit.node'))).toEqual(['native.ts']);
  });

  test('files are kebab-case and named for a thing', () => {
    const folders = ['src', 'tests', 'scripts', 'bench', 'native', 'examples'];
    const files = folders.flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => !/(^|\/)(node_modules|golden|__snapshots__|results)(\/|$)/.test(path))
        .map((path) => join(folder, path)),
    );
    const vague = files.filter((path) =>
      /^((.*-)?(utils?|helpers?)|common|manager)$/.test(basename(path).split('.')[0] ?? ''),
    );
    expect(vague).toEqual([]);
    const code = files.filter((path) => /\.[cm]?[jt]sx?$/.test(path));
    expect(code.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)+$/.test(basename(path)))).toEqual([]);
  });

  test('a command is a verb of the table, and exports only what loads it', () => {
    const commands = sources.filter(({ name }) => name.startsWith('cli/commands/'));
    const wrong = commands.filter(({ text }) =>
      [...text.matchAll(/^export\s+\w+\s+(\w+)/gm)].some((match) => match[1] !== 'configure'),
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});
