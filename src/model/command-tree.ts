/** What a shell can offer in one place of a command line. */
export type OfferedValue =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'process' }
  /** `KEY:VALUE,…` of MALLOC_CONF. */
  | { readonly kind: 'malloc-conf' }
  /** A program, and after it whatever that program takes. */
  | { readonly kind: 'program' }
  /** Something only the user knows: a number, a name. */
  | { readonly kind: 'free' };

/** One option of a command. */
export interface TreeOption {
  /** Every spelling: `-h`, `--help`. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** Undefined for a switch. */
  readonly value: OfferedValue | undefined;
  readonly valueName: string;
  /** `--sudo[=ask]`: the value may be left out, so the next word is not its value. */
  readonly valueOptional: boolean;
}

/** One argument of a command, in its place. */
export interface TreeArgument {
  readonly name: string;
  readonly value: OfferedValue;
  readonly variadic: boolean;
}

/** A command line's verbs, options and arguments, without what they do. */
export interface CommandTree {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly TreeOption[];
  readonly arguments: readonly TreeArgument[];
  /** What follows `--` is a program with its own arguments. */
  readonly programAfterDashes: boolean;
  readonly commands: readonly CommandTree[];
}

/** One option of MALLOC_CONF as a shell offers it. */
export interface OfferedConfOption {
  readonly key: string;
  /** Empty where any number or text may follow. */
  readonly values: readonly string[];
  readonly summary: string;
}

/** A command of a tree with the words that lead to it: `['jem', 'conf', 'check']`. */
export interface TreePlace {
  readonly path: readonly string[];
  readonly command: CommandTree;
}

/** Every command of a tree, each before its subcommands. */
export function placesOf(command: CommandTree, before: readonly string[] = []): TreePlace[] {
  const path = [...before, command.name];
  return [{ path, command }, ...command.commands.flatMap((child) => placesOf(child, path))];
}
