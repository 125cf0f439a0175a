import { HOMEBREW_PREFIXES, TRIPLETS } from '../../control/library/find-library.js';
import { JemkitError } from '../../errors.js';
import type { Architecture } from '../../model/allocator.js';
import { compilerFlags, type DevelopmentFiles, linkerFlags } from '../../model/development-files.js';
import { renderTable } from '../../outputs/text/table.js';
import { developmentFolder, libraryCacheFolders, platformName } from '../../sources/process/jemkit-folders.js';
import { readDevelopmentFiles } from '../../sources/process/read-development-files.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';

/** What can be asked for, in the order it is printed. */
const ANSWERS: Readonly<Record<string, (files: DevelopmentFiles) => string | undefined>> = {
  cflags: compilerFlags,
  libs: linkerFlags,
  libdir: (files) => files.libraryFolder,
  includedir: (files) => files.includeFolder,
  version: (files) => files.version,
};

type ConfigOptions = Readonly<Record<string, true | undefined>>;

function findFiles(): DevelopmentFiles {
  const architecture = process.arch as Architecture;
  const mac = process.platform === 'darwin';
  const self = resolveProgram(process.execPath, undefined);
  const libc = (self.kind === 'resolved' && self.program.target?.libc) || (mac ? 'darwin' : 'glibc');
  const search = readDevelopmentFiles({
    ownTrees: libraryCacheFolders(process.env, process.geteuid?.()).map((folder) =>
      developmentFolder(folder, 'jemalloc', platformName(architecture, libc)),
    ),
    pkgConfigPath: process.env['PKG_CONFIG_PATH'],
    systemRoot: '/',
    triplets: TRIPLETS[architecture] ?? [],
    homebrewPrefixes: process.env['HOMEBREW_PREFIX'] ? [process.env['HOMEBREW_PREFIX']] : HOMEBREW_PREFIXES,
    libraryNames: mac ? ['libjemalloc.dylib', 'libjemalloc.a'] : ['libjemalloc.so', 'libjemalloc.a'],
  });
  if (search.kind === 'found') return search.files;
  const [first] = search.incomplete;
  throw new JemkitError(
    'ERR_JEM_LIBRARY_UNUSABLE',
    first
      ? `jemalloc’s ${first.missing === 'header' ? 'header jemalloc/jemalloc.h' : 'library libjemalloc.so'} is missing (the other half is in ${first.folder})`
      : 'no jemalloc headers on this machine: jemalloc/jemalloc.h is in no include folder, and jemkit has no copy',
    { hint: 'jem install --dev   (into jemkit’s cache, without root), or jem install --system' },
  );
}

function config(options: ConfigOptions, { terminal }: CommandContext): void {
  const files = findFiles();
  const answers = Object.entries(ANSWERS).map(([name, answer]) => [name, answer(files)] as const);
  if (options['json']) {
    terminal.print(JSON.stringify({ ...Object.fromEntries(answers), source: files.source }, null, 2));
    return;
  }
  const asked = answers.filter(([name]) => options[name]);
  if (asked.length === 0) {
    terminal.print(
      renderTable([...answers, ['source', files.source] as const].map(([name, value]) => [name, value || '-'])),
    );
    return;
  }
  for (const [name, value] of asked) {
    if (value === undefined) {
      throw new JemkitError(
        'ERR_JEM_LIBRARY_UNUSABLE',
        `the header in ${files.includeFolder} does not say its ${name}`,
        {
          hint: 'jem install --dev --force',
        },
      );
    }
    terminal.print(value);
  }
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Print what a compiler needs to build against jemalloc, as jemalloc-config does where a distribution has it: jemkit’s own copy ' +
        '(jem install --dev) first, then PKG_CONFIG_PATH, the system’s folders and Homebrew’s. One line per option.',
    )
    .option('--cflags', 'flags to compile with')
    .option('--libs', 'flags to link with, run path included')
    .option('--libdir', 'the folder of the library')
    .option('--includedir', 'the folder with jemalloc/jemalloc.h')
    .option('--version', 'the version of the header')
    .option('--json', 'all of them as JSON')
    .action((options: ConfigOptions) => config(options, context));
  addExamples(command, [
    ['cc app.c $(jem config --cflags --libs)', 'build a program against jemalloc'],
    ['jem config', 'all of it'],
  ]);
};
