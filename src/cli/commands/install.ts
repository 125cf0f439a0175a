import { Option } from 'commander';
import { checkAllocator, install } from '../../control/install/install.js';
import { renderInstallOutcome } from '../../outputs/install-outcome.js';
import { addExamples, type ConfigureCommand } from '../command.js';
import { printOutcome, runInstallSession } from '../install-progress.js';

interface Flags {
  readonly allocator: string;
  readonly system?: boolean;
  readonly sudo?: boolean;
  readonly dev?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Get jemalloc (or another allocator) where there is none.\n\n' +
        "Without --system it takes no root: the system's package manager downloads and verifies the package, and " +
        "its library goes into jemkit's cache after a real start of node with it. Nothing is registered with the " +
        'package manager.',
    )
    .option('--allocator <name>', 'jemalloc, mimalloc or tcmalloc', 'jemalloc')
    .addOption(new Option('--user', "into jemkit's cache, without root (the default)").conflicts(['system', 'sudo']))
    .option('--system', 'by the package manager itself: runtime and development packages')
    .option('--sudo', 'with --system: become root through sudo')
    .option('--dev', 'headers, static libraries and tools (jeprof) too')
    .option('--force', 'a fresh copy even where one is there')
    .option('--dry-run', 'print every command, run none')
    .option('--json', 'print what was done as JSON')
    .action(async (flags: Flags) => {
      if (flags.sudo && !flags.system)
        command.error("error: option '--sudo' is only for '--system': an installation for this user takes no root");
      const outcome = await runInstallSession(context, flags.json === true, (signal, onProgress) =>
        install({
          allocator: checkAllocator(flags.allocator),
          scope: flags.system ? 'system' : 'user',
          development: flags.dev,
          force: flags.force,
          sudo: flags.sudo,
          interactive: context.terminal.interactive,
          dryRun: flags.dryRun,
          signal,
          onProgress,
        }),
      );
      if (!outcome) return;
      printOutcome(context, outcome, flags.json, renderInstallOutcome);
      if (outcome.kind === 'installed' && !flags.json) {
        const choice = flags.allocator === 'jemalloc' ? '' : `--allocator ${flags.allocator} `;
        context.terminal.say(`next: jem run ${choice}-- node server.js`);
      }
    });
  addExamples(command, [
    ['jem install', 'jemalloc for this user, if there is none'],
    ['jem install --dev', 'with headers, jeprof and static libraries'],
    ['jem install --system --sudo', 'through the package manager, for everybody'],
    ['jem install --dry-run', 'the commands, to read first'],
  ]);
};
