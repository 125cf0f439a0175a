import { shortCommand } from './short-command.js';

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/**
 * The names by which a person may call a process: the kernel's, the program's, and of an interpreter its script's or module's
 * (`server.js`).
 */
export function processNames(argv: readonly string[], commandName: string): string[] {
  const short = shortCommand(argv);
  const space = short.indexOf(' ');
  const program = space === -1 ? short : short.slice(0, space);
  const target = space === -1 ? '' : short.slice(space + 1).replace(/^-m /, '');
  // `node -e …`: code has no name.
  const script = target.startsWith('-') ? '' : baseName(target);
  return [...new Set([commandName, program, script])].filter((name) => name !== '');
}
