import {
  type CommandTree,
  type OfferedConfOption,
  type OfferedValue,
  placesOf,
  type TreeOption,
  type TreePlace,
} from '../../model/command-tree.js';

const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&').replaceAll('\n', ' ')}'`;

/** The switches of `complete` that offer a value of this kind. */
function offerOf(value: OfferedValue, root: string): string {
  switch (value.kind) {
    case 'words':
      return `-x -a ${quote(value.words.join(' '))}`;
    case 'file':
      return '-r -F';
    case 'folder':
      return `-x -a '(__fish_complete_directories)'`;
    case 'process':
      return `-x -a '(__fish_complete_pids)'`;
    case 'malloc-conf':
      return `-x -a '(__${root}_conf)'`;
    case 'program':
      return `-x -a '(__${root}_program)'`;
    case 'free':
      return '-x';
  }
}

function optionRow(path: readonly string[], option: TreeOption): string {
  const root = path[0] ?? '';
  const spellings = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  // fish has no switch for a value that may be left out: such an option is offered without one.
  const value = option.value && !option.valueOptional ? ` ${offerOf(option.value, root)}` : '';
  return `complete -c ${root} -n ${quote(`__${root}_at ${quote(path.join(' '))}`)} ${spellings.join(' ')}${value} -d ${quote(option.summary)}`;
}

function placeRows({ path, command }: TreePlace): string[] {
  const root = path[0] ?? '';
  const at = (count: number | string) => quote(`__${root}_at ${quote(path.join(' '))} ${count}`);
  return [
    ...command.commands.map(
      (child) => `complete -c ${root} -n ${at(0)} -x -a ${child.name} -d ${quote(child.summary)}`,
    ),
    ...command.options.map((option) => optionRow(path, option)),
    ...command.arguments.flatMap((argument, i) =>
      argument.value.kind === 'free' || argument.value.kind === 'program'
        ? []
        : [`complete -c ${root} -n ${at(argument.variadic ? `'${i}+'` : i)} ${offerOf(argument.value, root)}`],
    ),
  ];
}

function valueOptions({ path, command }: TreePlace): string[] {
  return command.options
    .filter((option) => option.value && !option.valueOptional)
    .flatMap((option) => option.flags.map((flag) => quote(`${path.join(' ')} ${flag}`)));
}

/** A completion script for fish 3. */
export function renderFishCompletion(tree: CommandTree, confOptions: readonly OfferedConfOption[]): string {
  const { name } = tree;
  const places = placesOf(tree);
  const all = (rows: readonly string[]) => rows.map((row) => ` ${row}`).join('');
  const subcommands = places.slice(1).map(({ path }) => quote(path.join(' ')));
  const programs = places
    .filter(({ command }) => command.arguments[0]?.value.kind === 'program')
    .map(({ path }) => quote(path.join(' ')));
  const afterDashes = places
    .filter(({ command }) => command.programAfterDashes)
    .map(({ path }) => quote(path.join(' ')));
  return `# Completion of ${name} for fish:  ${name} completion fish > ~/.config/fish/completions/${name}.fish

set -g __${name}_commands${all(subcommands)}
set -g __${name}_value_options${all(places.flatMap(valueOptions))}
set -g __${name}_programs${all(programs)}
set -g __${name}_programs_after_dashes${all(afterDashes)}

# Where the cursor is: the command's path, how many arguments stand before it, and the place of the program's first word (0: none).
function __${name}_place
    set -l tokens (commandline -opc)
    set -l path ${name}
    set -l count 0
    set -l i 2
    while test $i -le (count $tokens)
        set -l token $tokens[$i]
        if test "$token" = --
            if contains -- "$path" $__${name}_programs_after_dashes
                set i (math $i + 1)
                printf '%s\\n' $path $count $i
                return
            end
        else if string match -q -- '-?*' "$token"
            if contains -- "$path $token" $__${name}_value_options
                set i (math $i + 1)
            end
        else if test $count -eq 0; and contains -- "$path $token" $__${name}_commands
            set path "$path $token"
        else if contains -- "$path" $__${name}_programs
            printf '%s\\n' $path $count $i
            return
        else
            set count (math $count + 1)
        end
        set i (math $i + 1)
    end
    printf '%s\\n' $path $count 0
end

# True at this command, before any program; with a number (or 'N+') only after so many arguments.
function __${name}_at
    set -l place (__${name}_place)
    test "$place[1]" = "$argv[1]" -a "$place[3]" = 0; or return 1
    set -q argv[2]; or return 0
    if string match -q -- '*+' $argv[2]
        test $place[2] -ge (string trim -r -c + -- $argv[2])
    else
        test $place[2] = $argv[2]
    end
end

# True where a program, or one of its arguments, is being typed.
function __${name}_in_program
    set -l place (__${name}_place)
    test "$place[3]" != 0; or contains -- "$place[1]" $__${name}_programs
end

function __${name}_program
    set -l place (__${name}_place)
    set -l tokens (commandline -opc)
    set -l words
    if test $place[3] != 0 -a "$place[3]" -le (count $tokens)
        set words (string escape -- $tokens[$place[3]..-1])
    end
    set -l typed (commandline -ct)
    # Two lines that complete -C refuses: an empty one, and one that begins like an option.
    if set -q words[1]; or string match -q -r -- '^[^-]' "$typed"
        complete -C "$(string join ' ' -- $words "$typed")"
    else if test -z "$typed"
        __fish_complete_command
    end
end

function __${name}_conf
    set -l text (commandline -ct | string replace -r -- '^--[a-z-]+=' '')
    set -l head (string match -r -- '^.*,' "$text")
    set -l last (string replace -r -- '^.*,' '' "$text")
    set -l values
    switch "$last"
${confOptions
  .filter((option) => option.values.length > 0)
  .map((option) => `        case '${option.key}:*'\n            set values ${option.values.join(' ')}`)
  .join('\n')}
        case '*:*'
        case '*'
            printf '%s:\\t%s\\n'${confOptions.map((option) => ` \\\n                ${option.key} ${quote(option.summary)}`).join('')} |
                while read -l row
                    echo -- "$head$row"
                end
            return
    end
    set -l key (string split -m 1 : -- "$last")[1]
    for value in $values
        printf '%s%s:%s\\n' "$head" $key $value
    end
end

complete -c ${name} -f
complete -c ${name} -n __${name}_in_program -x -a '(__${name}_program)'
${places.flatMap(placeRows).join('\n')}
`;
}
