import { Argument } from 'commander';
import { renderBashCompletion } from '../../outputs/completion/bash.js';
import { renderFishCompletion } from '../../outputs/completion/fish.js';
import { renderZshCompletion } from '../../outputs/completion/zsh.js';
import { addExamples, type ConfigureCommand } from '../command.js';
import { offeredConfOptions, readCommandTree } from '../command-tree.js';
import { buildProgram, VERSION_OPTION } from '../program.js';

const RENDERERS = { bash: renderBashCompletion, zsh: renderZshCompletion, fish: renderFishCompletion } as const;

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Print a completion script for a shell. It holds every command, option and value itself, so that pressing TAB starts ' +
        'nothing. Print it again after an update of jemkit, or at each start of the shell as in the first examples.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(RENDERERS)))
    .action((shell: keyof typeof RENDERERS) => {
      const program = buildProgram(context).version('', ...VERSION_OPTION);
      context.terminal.print(RENDERERS[shell](readCommandTree(program), offeredConfOptions()).trimEnd());
    });
  addExamples(command, [
    ['eval "$(jem completion bash)"', 'in ~/.bashrc'],
    ['source <(jem completion zsh)', 'in ~/.zshrc, after compinit'],
    ['jem completion fish > ~/.config/fish/completions/jem.fish', 'once'],
  ]);
};
