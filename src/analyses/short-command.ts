/** Programs that run a script: its path says more than the interpreter's name. */
const INTERPRETER =
  /^(node|nodejs|bun|deno|python[\d.]*|pypy[\d.]*|ruby[\d.]*|perl[\d.]*|php[\d.]*|bash|sh|dash|zsh|ksh|fish|lua[\d.]*|tsx|ts-node)$/;
/** Options whose next argument is code, and therefore not shown. */
const CODE = /^(-e|-c|-p|-pe|-r|-E|--eval|--print|--command|eval)$/;
/** Options whose next argument belongs to them. */
const TAKES_VALUE = new Set([
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '--env-file',
  '--env-file-if-exists',
  '--conditions',
  '-C',
  '-I',
  '-W',
  '-X',
  '-O',
  '-o',
]);

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** `-r` is a module to node and code to php. */
function isCode(program: string, option: string): boolean {
  if (option === '-r') return program.startsWith('php');
  return CODE.test(option);
}

/**
 * A command line without what may be secret in it: the program's name and, for an interpreter, its script's path (or Python's
 * module, or Java's jar or class). Everything else a command line holds may be a password or a token.
 */
export function shortCommand(argv: readonly string[]): string {
  const [first = ''] = argv;
  // A title that the program wrote itself (`nginx: worker process`, `postgres: user database`): its first word is the name.
  const program = baseName(
    argv.length === 1 || argv.slice(1).every((a) => a === '') ? (/^[^\s:]+/.exec(first)?.[0] ?? first) : first,
  );
  const name = program.replace(/^-/, '');
  if (name === 'java') return [name, javaTarget(argv)].filter(Boolean).join(' ');
  if (!INTERPRETER.test(name)) return name;
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (argument === '') continue;
    if (isCode(name, argument)) return `${name} ${argument} …`;
    if (name.startsWith('python') && argument === '-m') return `${name} -m ${argv[i + 1] ?? ''}`.trimEnd();
    if (argument === '--') return [name, argv[i + 1] ?? ''].filter(Boolean).join(' ');
    if (TAKES_VALUE.has(argument) || (argument === '-r' && !name.startsWith('php'))) {
      i++;
      continue;
    }
    // Grouped short options that end in c (`bash -lc`) take code too.
    if (/^-[a-z]*[ce]$/.test(argument) && /sh$|^perl|^ruby/.test(name)) return `${name} ${argument} …`;
    if (!argument.startsWith('-')) return `${name} ${argument}`;
  }
  return name;
}

function javaTarget(argv: readonly string[]): string {
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (argument === '-jar') return argv[i + 1] ?? '';
    if (/^(-cp|-classpath|--class-path|-p|--module-path)$/.test(argument)) {
      i++;
      continue;
    }
    if (argument !== '' && !argument.startsWith('-')) return argument;
  }
  return '';
}
