import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import { ALLOCATOR_VARIABLES, type EnvironmentSetting } from '../../model/allocator-environment.js';

/** One assignment found in a file. */
export interface Assignment {
  readonly variable: string;
  readonly value: string;
  readonly line: number;
}

const NAMES = ALLOCATOR_VARIABLES.join('|');
// At the start of a line or after a separator, so that `echo "LD_PRELOAD=x"` is not taken for one.
const POSIX = new RegExp(
  `^\\s*(?:[^#"']*[;&]\\s*)?(?:export\\s+|declare\\s+-x\\s+|typeset\\s+-x\\s+)?(${NAMES})=("[^"]*"|'[^']*'|[^\\s;&|#]*)`,
);
const FISH = new RegExp(`^\\s*set\\s+(?:-\\S+\\s+|--\\S+\\s+)*(${NAMES})\\s+(.+?)\\s*$`);

const unquote = (text: string) => /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;

/** The allocator's variables that a shell file sets: sh, bash, zsh and fish, and /etc/environment. Code is not run. */
export function parseShellSettings(text: string): Assignment[] {
  const found: Assignment[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const match = POSIX.exec(line) ?? FISH.exec(line);
    if (match?.[1] === undefined) continue;
    const rest = line.slice(match.index + match[0].length);
    // `LD_PRELOAD=x command` sets it for that command alone.
    const forOneCommand = !/\bexport\b|\bset\b|declare|typeset/.test(match[0]) && /^\s+[^\s#;&|]/.test(rest);
    if (!forOneCommand) found.push({ variable: match[1], value: unquote(match[2] ?? ''), line: index + 1 });
  }
  return found;
}

/** The words of a systemd line, quoted as systemd.syntax(7) has it. */
function systemdWords(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S+)/g)].map(([, double, single, plain]) =>
    (double ?? single ?? plain ?? '').replace(/\\(.)/g, '$1'),
  );
}

/** `Environment=` and `EnvironmentFile=` of a unit's `[Service]`; a line that ends in a backslash goes on in the next. */
export function parseUnitSettings(text: string): { readonly assignments: Assignment[]; readonly files: string[] } {
  let assignments: Assignment[] = [];
  let files: string[] = [];
  let section = '';
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let joined = lines[index] ?? '';
    while (joined.endsWith('\\') && index + 1 < lines.length) joined = `${joined.slice(0, -1)} ${lines[++index] ?? ''}`;
    const head = /^\s*\[([^\]]+)\]/.exec(joined);
    if (head) section = head[1] ?? '';
    const match = /^\s*(Environment|EnvironmentFile)\s*=\s*(.*)$/.exec(joined);
    if (section !== 'Service' || !match) continue;
    const value = match[2] ?? '';
    if (match[1] === 'EnvironmentFile') {
      files = value === '' ? [] : [...files, value.replace(/^-/, '')];
      continue;
    }
    // An empty assignment takes back all before it.
    if (value === '') assignments = [];
    for (const word of systemdWords(value)) {
      const equals = word.indexOf('=');
      const variable = word.slice(0, equals);
      if (equals > 0 && (ALLOCATOR_VARIABLES as readonly string[]).includes(variable)) {
        assignments.push({ variable, value: word.slice(equals + 1), line });
      }
    }
  }
  return { assignments, files };
}

function readText(path: string): { text: string; modifiedMs: number } | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > 1 << 20) return undefined;
    return { text: readFileSync(path, 'utf8'), modifiedMs: stats.mtimeMs };
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function settingsOf(path: string, kind: EnvironmentSetting['kind']): EnvironmentSetting[] {
  const file = readText(path);
  return file
    ? parseShellSettings(file.text).map((found) => ({ ...found, kind, path, modifiedMs: file.modifiedMs }))
    : [];
}

function filesIn(folder: string, pattern: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}

const PROFILES = [
  '.profile',
  '.bash_profile',
  '.bash_login',
  '.bashrc',
  '.zshenv',
  '.zprofile',
  '.zshrc',
  '.zlogin',
  '.kshrc',
  '.xprofile',
];
const SYSTEM_FILES = [
  '/etc/environment',
  '/etc/profile',
  '/etc/bash.bashrc',
  '/etc/bashrc',
  '/etc/zsh/zshenv',
  '/etc/zsh/zshrc',
  '/etc/zshenv',
  '/etc/zshrc',
];

/** Where the files of a user and of the system set the allocator's variables. */
export function readShellSettings(home: string | undefined, root = '/'): EnvironmentSetting[] {
  const own =
    home === undefined
      ? []
      : [
          ...PROFILES.map((name) => join(home, name)),
          join(home, '.config/fish/config.fish'),
          ...filesIn(join(home, '.config/fish/conf.d'), /\.fish$/),
        ];
  const system = [
    ...SYSTEM_FILES.map((path) => join(root, path)),
    ...filesIn(join(root, '/etc/profile.d'), /\.sh$/),
    ...filesIn(join(root, '/etc/environment.d'), /\.conf$/),
  ];
  return [
    ...own.flatMap((path) => settingsOf(path, 'shell-profile')),
    ...system.flatMap((path) => settingsOf(path, 'system-file')),
  ];
}

const SYSTEM_UNIT_FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Where a systemd unit's file and drop-ins set the allocator's variables; undefined where no file of the unit is found. */
export function readUnitSettings(
  unit: string,
  home: string | undefined,
  ofUser: boolean,
  root = '/',
): EnvironmentSetting[] | undefined {
  const folders = ofUser
    ? [
        ...(home ? [join(home, '.config/systemd/user')] : []),
        join(root, '/etc/systemd/user'),
        join(root, '/usr/lib/systemd/user'),
      ]
    : SYSTEM_UNIT_FOLDERS.map((folder) => join(root, folder));
  const template = unit.replace(/@[^.]*\./, '@.');
  const names = [...new Set([unit, template])];
  const main = names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => readText(path) !== undefined);
  const dropIns = names.flatMap((name) => folders.flatMap((folder) => filesIn(join(folder, `${name}.d`), /\.conf$/)));
  if (main === undefined && dropIns.length === 0) return undefined;
  const settings: EnvironmentSetting[] = [];
  for (const path of [...(main === undefined ? [] : [main]), ...dropIns]) {
    const file = readText(path);
    if (!file) continue;
    const { assignments, files } = parseUnitSettings(file.text);
    const kind = 'systemd-unit' as const;
    settings.push(...assignments.map((found) => ({ ...found, kind, path, modifiedMs: file.modifiedMs })));
    settings.push(...files.flatMap((environmentFile) => settingsOf(environmentFile, kind)));
  }
  return settings;
}
