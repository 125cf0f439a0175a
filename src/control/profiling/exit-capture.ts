import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { optional } from '../../errors.js';
import { cannotWrite } from '../recording/cannot-write.js';
import type { RawCapture } from './take-capture.js';

/** Where a program writes its capture at its end: a folder that is nobody else's. Close it. */
export interface ExitCapture {
  /** Absolute; nothing is there yet. */
  readonly path: string;
  /** What the program wrote; undefined where it wrote nothing. `since`: when the program started. */
  collect(pid: number, since: number, leavesPerfMap: boolean): RawCapture | undefined;
  close(): void;
}

/** By the clock of the file system. */
const CLOCK_SLACK_MS = 2000;

/** The names that a program wrote down of its code, which stay after its end. */
function perfMapOf(pid: number, since: number): string | undefined {
  const path = `/tmp/perf-${pid}.map`;
  const found = optional(() => statSync(path));
  const isOurs = found?.isFile() && found.uid === process.geteuid?.() && found.mtimeMs >= since - CLOCK_SLACK_MS;
  return isOurs ? path : undefined;
}

/**
 * Makes the folder, beside the file that the capture will become.
 *
 * @throws JemkitError ERR_JEM_FILE.
 */
export function openExitCapture(target: string): ExitCapture {
  let folder: string;
  try {
    folder = mkdtempSync(join(resolve(dirname(target)), `.${basename(target)}-`));
  } catch (error) {
    throw cannotWrite(target, error);
  }
  const path = join(folder, 'exit.heap');
  return {
    path,
    collect(pid, since, leavesPerfMap) {
      const found = optional(() => statSync(path));
      const perfMap = perfMapOf(pid, since);
      const discardMap = () => {
        if (perfMap !== undefined && leavesPerfMap) rmSync(perfMap, { force: true });
      };
      if (!found?.isFile() || found.size === 0) {
        discardMap();
        return undefined;
      }
      return {
        pid,
        path,
        bytes: found.size,
        takenAtMs: Math.round(found.mtimeMs),
        perfMap,
        root: undefined,
        java: { kind: 'not-java' },
        discard() {
          rmSync(path, { force: true });
          discardMap();
        },
      };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
