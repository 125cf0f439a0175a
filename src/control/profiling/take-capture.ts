import { closeSync, constants, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { JemkitError, optional } from '../../errors.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { seesOtherFiles } from '../../sources/agent/agent-folder.js';
import { parseProcessUids } from '../../sources/procfs/process-status.js';
import { type AgentProfilerRefusal, captureAgentProfile } from '../agent/profile-agent.js';
import { openCaptureFolder } from './capture-folder.js';
import { type JavaPerfMap, writeJavaPerfMap } from './java-perf-map.js';
import { copyPerfMap } from './perf-map.js';

/** A capture as the process wrote it, with what names it. It lies in files that are removed by {@link RawCapture.discard}. */
export interface RawCapture {
  readonly pid: number;
  readonly path: string;
  readonly bytes: number;
  readonly takenAtMs: number;
  /** Names of code that was made while the process ran. */
  readonly perfMap: string | undefined;
  /** Where the process's files are seen from here, also after its end; undefined where they are ours. */
  readonly root: string | undefined;
  readonly java: JavaPerfMap;
  discard(): void;
}

/** Where a capture is put on its way. */
export interface CapturePlace {
  /** Nothing is there; `.map` is put behind it for the names. */
  readonly path: string;
  /** The file that it will become, for messages. */
  readonly becomes: string;
}

/** `no space left on device (ENOSPC)` */
export function wordsForErrno(errno: number): string {
  const [name, words] = getSystemErrorMap().get(-errno) ?? [`error ${errno}`, 'it did not work'];
  return `${words} (${name})`;
}

const codeOf = (errno: number) => getSystemErrorMap().get(-errno)?.[0];

/** What a person is told where a process did not do what its profiler was told. `who`: `process 4711 (node server.js)`. */
export function explainProfilerRefusal(
  pid: number,
  who: string,
  refusal: AgentProfilerRefusal,
  where: string,
): JemkitError {
  const details = { pid, ...refusal };
  switch (refusal.kind) {
    case 'busy':
      return new JemkitError(
        'ERR_JEM_PROFILE_BUSY',
        `${who} is being profiled already, by another jem profile or from within`,
        {
          hint: `wait for it; jem profile ${pid} --seconds 0 writes what was sampled so far; after a jem profile that was killed: jem profile ${pid} --stop`,
          details,
        },
      );
    case 'no-profiling':
      return new JemkitError(
        'ERR_JEM_NO_PROFILING',
        `${who} was not started with prof:true, which jemalloc takes at its start only`,
        {
          hint: 'start it with: jem run -- PROGRAM',
          details,
        },
      );
    case 'no-jemalloc':
      return new JemkitError('ERR_JEM_NO_JEMALLOC', `${who} is not served by jemalloc`, { details });
    case 'failed': {
      const code = codeOf(refusal.errno);
      if (code === 'EACCES') {
        return new JemkitError(
          'ERR_JEM_NO_PERMISSION',
          `${who} may not write to ${where}: it has rights over files that its user has not (setcap, AmbientCapabilities=), and lends them to nobody`,
          { hint: 'ask as root', details },
        );
      }
      const hint =
        code === 'ENOSPC' || code === 'EDQUOT'
          ? `make room in ${where} as the process sees it, or start it with another folder: JEMKIT_AGENT_DIR=/var/tmp jem run -- PROGRAM`
          : `jem doctor ${pid} looks at it from outside`;
      return new JemkitError(
        'ERR_JEM_FILE',
        `${who} could not write its capture to ${where}: ${wordsForErrno(refusal.errno)}`,
        {
          hint,
          details,
        },
      );
    }
  }
}

const O_PATH = 0o10000000;

/** The process's files, held open so that they are there after its end. */
function holdRoot(pid: number): { readonly path: string | undefined; release(): void } {
  if (!seesOtherFiles(pid)) return { path: undefined, release: () => {} };
  const descriptor = optional(() => openSync(`/proc/${pid}/root`, O_PATH | constants.O_DIRECTORY));
  return descriptor === undefined
    ? { path: undefined, release: () => {} }
    : { path: `/proc/self/fd/${descriptor}`, release: () => closeSync(descriptor) };
}

const usersOf = (pid: number) => optional(() => parseProcessUids(readFileSync(`/proc/${pid}/status`, 'latin1'))) ?? [];

/**
 * Has a process write a capture, and takes it over.
 *
 * @throws JemkitError that says what is in the way; nothing is left then.
 */
export async function takeCapture(agent: AgentConnection, who: string, place: CapturePlace): Promise<RawCapture> {
  const target = place.path;
  const { pid, hello } = agent;
  const java = await writeJavaPerfMap(pid);
  const folder = openCaptureFolder(pid);
  try {
    const path = folder.nextPath();
    const written = await captureAgentProfile(agent, path);
    const takenAtMs = Date.now();
    if (written.kind !== 'done') throw explainProfilerRefusal(pid, who, written, dirname(dirname(path)));
    const bytes = folder.take(path, place);
    const map = `${target}.map`;
    const startedAtMs = takenAtMs - hello.ageMs;
    const hasMap = copyPerfMap({ pid, ownPid: hello.pid, startedAtMs }, usersOf(pid), map);
    const root = holdRoot(pid);
    return {
      pid,
      path: target,
      bytes,
      takenAtMs,
      perfMap: hasMap ? map : undefined,
      root: root.path,
      java,
      discard() {
        rmSync(target, { force: true });
        rmSync(map, { force: true });
        root.release();
      },
    };
  } finally {
    folder.close();
  }
}
