import { type CommandTree, type OfferedConfOption, type OfferedValue, placesOf } from '../../model/command-tree.js';

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** A value as the script's functions take it: its kind, then its words. */
function valueWord(value: OfferedValue): string {
  return value.kind === 'words' ? `words ${value.words.join(' ')}` : value.kind;
}

function placeRow(path: readonly string[], command: CommandTree): string {
  const options = command.options.flatMap((option) => option.flags).join(' ');
  const commands = command.commands.map((child) => child.name).join(' ');
  const values = command.arguments.map((argument) => quote(valueWord(argument.value))).join(' ');
  const variadic = command.arguments.at(-1)?.variadic ? '1' : '';
  const dashes = command.programAfterDashes ? '1' : '';
  return `    ${quote(path.join(' '))}) commands=${quote(commands)} options=${quote(options)} arguments=(${values}) variadic=${variadic} dashes=${dashes} ;;`;
}

function valueRows(path: readonly string[], command: CommandTree): string[] {
  return command.options.flatMap((option) => {
    if (!option.value) return [];
    const pattern = option.flags.map((flag) => quote(`${path.join(' ')} ${flag}`)).join(' | ');
    return [`    ${pattern}) value=${quote(valueWord(option.value))} optional=${option.valueOptional ? '1' : ''} ;;`];
  });
}

/** A completion script for bash 3.2 and later: the whole tree as data, so that no key press starts Node. */
export function renderBashCompletion(tree: CommandTree, confOptions: readonly OfferedConfOption[]): string {
  const places = placesOf(tree);
  const name = tree.name;
  return `# Completion of ${name} for bash. In ~/.bashrc:  eval "$(${name} completion bash)"
# or, loaded when first needed:  ${name} completion bash > ~/.local/share/bash-completion/completions/${name}

# What a command offers.
_${name}_place() {
  commands= options= arguments=() variadic= dashes=
  case $1 in
${places.map(({ path, command }) => placeRow(path, command)).join('\n')}
  esac
}

# What an option ($2) of a command ($1) takes; nothing for a switch.
_${name}_value() {
  value= optional=
  case "$1 $2" in
${places.flatMap(({ path, command }) => valueRows(path, command)).join('\n')}
  esac
}

# The values of one MALLOC_CONF option.
_${name}_conf_values() {
  case $1 in
${confOptions
  .filter((option) => option.values.length > 0)
  .map((option) => `    ${option.key}) printf '%s' ${quote(option.values.join(' '))} ;;`)
  .join('\n')}
  esac
}
_${name}_conf_keys=${quote(confOptions.map((option) => option.key).join(' '))}

# bash splits words at = and : too; this joins them again. starts: the place in COMP_WORDS at which each word begins.
_${name}_words() {
  local line=$COMP_LINE word i
  words=() starts=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
      words+=("$word")
      starts+=("$i")
      line=\${line#"\${line%%[![:space:]]*}"}
    elif [[ -z $word && -z $line && \${COMP_LINE:COMP_POINT-1:1} == [[:space:]] ]]; then
      words+=('')
      starts+=("$i")
    else
      words[\${#words[@]} - 1]+=$word
    fi
    line=\${line#"$word"}
  done
}

# Adds candidates (lines of stdin), without the part of the word that bash keeps because it ends in a word break.
_${name}_add() {
  local prefix=$1 kept= upto candidate
  if [[ $COMP_WORDBREAKS == *:* && $current == *:* ]]; then kept=\${current%"\${current##*:}"}; fi
  if [[ $COMP_WORDBREAKS == *=* && $current == *=* ]]; then
    upto=\${current%"\${current##*=}"}
    if ((\${#upto} > \${#kept})); then kept=$upto; fi
  fi
  while IFS= read -r candidate; do
    candidate=$prefix$candidate
    COMPREPLY+=("\${candidate#"$kept"}")
  done
}

_${name}_option() { if type compopt >/dev/null 2>&1; then compopt -o "$1" 2>/dev/null; fi; }

# Offers values of a kind ($1) for a text ($3) that follows a prefix ($2) in the same word.
_${name}_offer() {
  local kind=\${1%% *} prefix=$2 text=$3 head last
  case $kind in
    words) _${name}_add "$prefix" < <(compgen -W "\${1#words}" -- "$text") ;;
    file) _${name}_option filenames; _${name}_add "$prefix" < <(compgen -f -- "$text") ;;
    folder) _${name}_option filenames; _${name}_add "$prefix" < <(compgen -d -- "$text") ;;
    process) _${name}_add "$prefix" < <(compgen -W "$(ps -Ao pid= 2>/dev/null)" -- "$text") ;;
    malloc-conf)
      last=\${text##*,} head=\${text%"\${text##*,}"}
      if [[ $last == *:* ]]; then
        head+=\${last%%:*}:
        _${name}_add "$prefix$head" < <(compgen -W "$(_${name}_conf_values "\${last%%:*}")" -- "\${last#*:}")
      else
        _${name}_option nospace
        _${name}_add "$prefix$head" < <(compgen -W "$_${name}_conf_keys" -S : -- "$last")
      fi
      ;;
  esac
}

# A program and its own arguments, from word $1 of COMP_WORDS on.
_${name}_program() {
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$1"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif (($1 == COMP_CWORD)); then
    if [[ $current == */* ]]; then _${name}_option filenames; fi
    _${name}_add '' < <(if [[ $current == */* ]]; then compgen -f -- "$current"; else compgen -c -- "$current" | sort -u; fi)
  else
    _${name}_offer file '' "$current"
  fi
}

_${name}() {
  local commands options arguments variadic dashes value optional
  local path=${name} i count=0 ended= pending= word current last argument
  local words starts
  COMPREPLY=()
  _${name}_words
  last=$((\${#words[@]} - 1))
  current=\${words[last]}
  _${name}_place "$path"
  for ((i = 1; i < last; i++)); do
    word=\${words[i]}
    if [[ -z $ended && $word == -- ]]; then
      if [[ -n $dashes ]]; then
        _${name}_program "\${starts[i + 1]}"
        return
      fi
      ended=1
    elif [[ -z $ended && $word == -?* ]]; then
      if [[ $word == *=* ]]; then continue; fi
      _${name}_value "$path" "$word"
      if [[ -n $value && -z $optional ]]; then
        i=$((i + 1))
        if ((i == last)); then pending=$value; fi
      fi
    elif [[ -z $ended && $count == 0 && " $commands " == *" $word "* ]]; then
      path+=" $word"
      _${name}_place "$path"
    else
      if [[ \${arguments[count]-} == program ]]; then
        _${name}_program "\${starts[i]}"
        return
      fi
      count=$((count + 1))
    fi
  done
  if [[ -n $pending ]]; then
    _${name}_offer "$pending" '' "$current"
  elif [[ -z $ended && $current == --*=* ]]; then
    _${name}_value "$path" "\${current%%=*}"
    _${name}_offer "$value" "\${current%%=*}=" "\${current#*=}"
  elif [[ -z $ended && $current == -* ]]; then
    _${name}_add '' < <(compgen -W "$options" -- "$current")
  else
    if [[ -z $ended && $count == 0 ]]; then _${name}_add '' < <(compgen -W "$commands" -- "$current"); fi
    argument=\${arguments[count]-}
    if [[ -z $argument && -n $variadic ]]; then argument=\${arguments[\${#arguments[@]} - 1]}; fi
    if [[ $argument == program ]]; then _${name}_program "\${starts[last]}"; else _${name}_offer "$argument" '' "$current"; fi
  fi
}

complete -F _${name} ${name}
`;
}
