import { Option } from 'commander';
import { checkAllocator } from '../../control/install/install.js';
import { update } from '../../control/install/update.js';
import { renderUpdateOutcome } from '../../outputs/install-outcome.js';
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
      "Replace jemkit's own copy by the newest that the package manager offers, if that is newer.\n\n" +
        "The library's path stays; running programs keep the one they have until they start again. A system " +
        'package is left to its package manager: the command to type is printed.',
    )
    .option('--allocator <name>', 'jemalloc, mimalloc or tcmalloc', 'jemalloc')
    .addOption(new Option('--user', "jemkit's own copy (the default)").conflicts('system'))
    .option('--system', "the system's package: refused, with the command to type")
    .option('--dry-run', 'print every command, run none')
    .option('--json', 'print what was done as JSON')
    .action(async (flags: Flags) => {
      const outcome = await runInstallSession(context, flags.json === true, (signal, onProgress) =>
        update({
          allocator: checkAllocator(flags.allocator),
          scope: flags.system ? 'system' : 'user',
          dryRun: flags.dryRun,
          signal,
          onProgress,
        }),
      );
      if (!outcome) return;
      printOutcome(context, outcome, flags.json, renderUpdateOutcome);
      if (outcome.kind === 'nothing-to-do' && outcome.reason === 'not-installed') {
        context.exitCode = 3;
        if (!flags.json) context.terminal.say('  hint: jem install');
      }
    });
  addExamples(command, [
    ['jem update', 'the newest jemalloc for this user'],
    ['jem update --dry-run', 'the commands, to read first'],
  ]);
};
