import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program as it is started to be profiled. */
export interface ProfiledProgram {
  readonly words: readonly string[];
  /** Over the environment that `jem run` would make. */
  readonly environment: Readonly<Record<string, string>>;
  /** What was changed so that its functions get names, a clause each. */
  readonly announcements: readonly string[];
  /** It writes `/tmp/perf-PID.map` because it was told so: the file is nobody's but ours. */
  readonly leavesPerfMap: boolean;
  /** It gives back what it holds before its end: what is captured then is little. */
  readonly freesBeforeEnd: boolean;
}

/** What decides about that. */
export interface ProfiledProgramRequest {
  readonly words: readonly string[];
  /** The program that will run, behind scripts and `env`. */
  readonly interpreter: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where the capture at its end goes; undefined for none. */
  readonly exitPath: string | undefined;
  readonly threadPool: boolean;
  /** V8 compiles nothing that cannot tell its lines. */
  readonly exactLines: boolean;
  /** The file that Node programs load first; undefined where it is not built. */
  readonly hook: string | undefined;
}

/** In the built package beside `dist/control/`; running from sources there is none. */
export function profileHookPath(): string | undefined {
  const path = fileURLToPath(new URL('../../profile.cjs', import.meta.url));
  return existsSync(path) ? path : undefined;
}

/** A word as Node splits NODE_OPTIONS: at spaces, but in double quotes, in which a backslash takes the next character as it is. */
export function quoteForNodeOptions(word: string): string {
  return /[\s"\\]/.test(word) ? `"${word.replace(/[\\"]/g, '\\$&')}"` : word;
}

/** Options that a Java machine needs, and what of them is there already. */
const JAVA_FLAGS = ['-XX:+PreserveFramePointer', '-XX:+UnlockDiagnosticVMOptions', '-XX:+DumpPerfMapAtExit'];

const isPython = (name: string) => /^(python|pypy)[\d.]*$/.test(name);

/** Python 3.12 is the first that can name its functions while it runs. */
function hasPerf(version: string): boolean {
  const match = /^Python (\d+)\.(\d+)/m.exec(version);
  return match !== null && (Number(match[1]) > 3 || (Number(match[1]) === 3 && Number(match[2]) >= 12));
}

/** What a program says to `--version`; empty where it says nothing. */
function readVersion(program: string, environment: NodeJS.ProcessEnv): string {
  const { stdout, stderr } = spawnSync(program, ['--version'], {
    env: environment,
    encoding: 'utf8',
    timeout: 5000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

/** Decides what a program gets so that it can be captured, and so that its functions have names. */
export function prepareProfiledProgram(
  request: ProfiledProgramRequest,
  versionOf: (program: string, environment: NodeJS.ProcessEnv) => string = readVersion,
): ProfiledProgram {
  const { words, interpreter, environment, exitPath, threadPool, exactLines, hook } = request;
  const [command = '', ...args] = words;
  const changes: Record<string, string> = { JEMKIT_PROFILE: '1' };
  const announcements: string[] = [];
  let leavesPerfMap = false;
  if (exitPath !== undefined) changes['JEMKIT_PROFILE_AT_EXIT'] = exitPath;
  if (threadPool) changes['JEMKIT_PROFILE_THREAD_POOL'] = '1';
  if (exactLines) changes['JEMKIT_PROFILE_EXACT_LINES'] = '1';
  if (hook !== undefined) {
    const before = environment['NODE_OPTIONS'];
    changes['NODE_OPTIONS'] = [before, `--require ${quoteForNodeOptions(hook)}`].filter(Boolean).join(' ');
  }
  const names = [basename(command), basename(interpreter)];
  let started = words;
  if (
    names.some(isPython) &&
    environment['PYTHONPERFSUPPORT'] === undefined &&
    hasPerf(versionOf(command, environment))
  ) {
    changes['PYTHONPERFSUPPORT'] = '1';
    announcements.push('PYTHONPERFSUPPORT=1, so that Python functions have names');
    leavesPerfMap = true;
  }
  if (names[0] === 'java') {
    const flags = JAVA_FLAGS.filter((flag) => !args.includes(flag));
    started = [command, ...flags, ...args];
    if (flags.length > 0) announcements.push(`${flags.join(' ')}, so that Java methods have names`);
    leavesPerfMap = true;
  }
  return { words: started, environment: changes, announcements, leavesPerfMap, freesBeforeEnd: names.some(isPython) };
}
