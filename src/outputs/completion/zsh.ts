import {
  type CommandTree,
  type OfferedConfOption,
  type OfferedValue,
  placesOf,
  type TreeArgument,
  type TreeOption,
} from '../../model/command-tree.js';

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const inBrackets = (text: string) => text.replaceAll('\n', ' ').replace(/[\\[\]]/g, '\\$&');
const message = (text: string) => text.replace(/[\\:]/g, '\\$&');
const functionName = (path: readonly string[]) => `_${path.join('_').replaceAll('-', '_')}`;

function action(value: OfferedValue, root: string): string {
  switch (value.kind) {
    case 'words':
      return `(${value.words.join(' ')})`;
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'process':
      return '_pids';
    case 'malloc-conf':
      return `_${root}_conf_pairs`;
    case 'program':
      return '_command_names -e';
    case 'free':
      return ' ';
  }
}

function optionSpecs(option: TreeOption, root: string): string[] {
  return option.flags.map((flag) => {
    const others = option.flags.length > 1 ? `(${option.flags.join(' ')})` : '';
    const suffix = !option.value
      ? ''
      : flag.startsWith('--')
        ? option.valueOptional
          ? '=-'
          : '='
        : option.valueOptional
          ? '-'
          : '+';
    const value = option.value
      ? `${option.valueOptional ? '::' : ':'}${message(option.valueName)}:${action(option.value, root)}`
      : '';
    return quote(`${others}${flag}${suffix}[${inBrackets(option.summary)}]${value}`);
  });
}

function argumentSpecs(argument: TreeArgument, index: number, command: CommandTree, root: string): string[] {
  const name = message(argument.name);
  const what = action(argument.value, root);
  // Where the program begins, jem's own options end: (-) takes them off the offer, *:: hands the rest to the program's completion.
  if (argument.value.kind === 'program')
    return [quote(`(-)${index + 1}:${name}:${what}`), quote('*::arguments:_normal')];
  if (command.programAfterDashes) {
    return [quote(`(-)${index + 1}::${name}:_${root}_process_or_program`), quote('*::arguments:_normal')];
  }
  return [argument.variadic ? quote(`*:${name}:${what}`) : quote(`${index + 1}::${name}:${what}`)];
}

function placeFunction(path: readonly string[], command: CommandTree): string {
  const root = path[0] ?? command.name;
  const options = command.options.flatMap((option) => optionSpecs(option, root));
  const name = functionName(path);
  if (command.commands.length === 0) {
    const specs = [
      ...options,
      ...command.arguments.flatMap((argument, i) => argumentSpecs(argument, i, command, root)),
    ];
    return `${name}() {\n  _arguments -S ${specs.map((spec) => `\\\n    ${spec}`).join(' ')}\n}`;
  }
  const children = command.commands.map(
    (child) => `    ${quote(`${message(child.name)}:${child.summary.replaceAll('\n', ' ')}`)}`,
  );
  const cases = command.commands.map(
    (child) => `        ${child.name}) ${functionName([...path, child.name])} && found=0 ;;`,
  );
  return `${name}() {
  local curcontext=$curcontext state line found=1
  typeset -A opt_args
  local -a subcommands=(
${children.join('\n')}
  )
  _arguments -C -S ${options.map((spec) => `\\\n    ${spec}`).join(' ')} \\
    '1:command:->command' \\
    '*::arguments:->arguments' && found=0
  case $state in
    command) _describe -t commands command subcommands && found=0 ;;
    arguments)
      curcontext=\${curcontext%:*}-$line[1]:
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
  return found
}`;
}

function confSpec(option: OfferedConfOption): string {
  const values = option.values.length > 0 ? `(${option.values.join(' ')})` : ' ';
  return `    ${quote(`${option.key}[${inBrackets(option.summary)}]:value:${values}`)}`;
}

/** A completion script for zsh: a file for `fpath`, or to be read with `source`. */
export function renderZshCompletion(tree: CommandTree, confOptions: readonly OfferedConfOption[]): string {
  const { name } = tree;
  return `#compdef ${name}
# Completion of ${name} for zsh. In ~/.zshrc, after compinit:  source <(${name} completion zsh)
# or, loaded when first needed:  ${name} completion zsh > FOLDER/_${name}   with FOLDER in fpath

_${name}_conf_pairs() {
  _values -s , -S : 'MALLOC_CONF option' \\
${confOptions.map(confSpec).join(' \\\n')}
}

_${name}_process_or_program() {
  _alternative 'processes:process:_pids' 'commands:program:_command_names -e'
}

${placesOf(tree)
  .reverse()
  .map(({ path, command }) => placeFunction(path, command))
  .join('\n\n')}

# Autoloaded from fpath the file is the function's own body; read with source it registers the function.
if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}
