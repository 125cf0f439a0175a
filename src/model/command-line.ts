/** A program and its arguments, as they are handed to the kernel: no shell reads them. */
export type CommandLine = readonly string[];

const PLAIN = /^[\w@%+=:,./-]+$/;

/** One argument as a POSIX shell would take it. */
function quoteArgument(argument: string): string {
  return PLAIN.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** A command line to read, and to paste into a POSIX shell. */
export function renderCommandLine(command: CommandLine): string {
  return command.map(quoteArgument).join(' ');
}
