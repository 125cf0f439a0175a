import { Option } from 'commander';
import { checkAllocator } from '../../control/install/install.js';
import { uninstall } from '../../control/install/uninstall.js';
import { renderUninstallOutcome } from '../../outputs/install-outcome.js';
import { addExamples, type ConfigureCommand } from '../command.js';
import { printOutcome, runInstallSession } from '../install-progress.js';

interface Flags {
  readonly allocator: string;
  readonly system?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      "Remove jemkit's own copy of an allocator, its development files included.\n\n" +
        'What a package manager installed stays: the command that removes it is printed.',
    )
    .option('--allocator <name>', 'jemalloc, mimalloc or tcmalloc', 'jemalloc')
    .addOption(new Option('--user', "jemkit's own copy (the default)").conflicts('system'))
    .option('--system', "the system's package: refused, with the command to type")
    .option('--dry-run', 'print every command, run none')
    .option('--json', 'print what was done as JSON')
    .action(async (flags: Flags) => {
      const outcome = await runInstallSession(context, flags.json === true, (signal, onProgress) =>
        uninstall({
          allocator: checkAllocator(flags.allocator),
          scope: flags.system ? 'system' : 'user',
          dryRun: flags.dryRun,
          signal,
          onProgress,
        }),
      );
      if (!outcome) return;
      printOutcome(context, outcome, flags.json, renderUninstallOutcome);
      if (outcome.kind === 'removed' && outcome.usedBy.length > 0 && !flags.json) {
        context.terminal.say(
          `jem: note: still loaded by pid ${outcome.usedBy.join(', ')}: these go on with it, and what they start falls back to the system's malloc with a line from the loader`,
        );
      }
    });
  addExamples(command, [
    ['jem uninstall', "remove jemkit's jemalloc"],
    ['jem uninstall --allocator mimalloc', "remove jemkit's mimalloc"],
  ]);
};
