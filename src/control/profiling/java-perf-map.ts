import { execFile } from 'node:child_process';
import { accessSync, constants, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { optional } from '../../errors.js';

/** What asking a Java machine for the names of its code came to. */
export type JavaPerfMap =
  | { readonly kind: 'written' }
  | { readonly kind: 'not-java' }
  /** One clause each. */
  | { readonly kind: 'no-jcmd'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** Attaching takes a fraction of a second; a machine that is busy collecting garbage answers when it is done. */
const TIMEOUT_MS = 15_000;

/** The jcmd of the same installation first: another release's may not be understood. */
function findJcmd(java: string): string | undefined {
  const folders = [dirname(java), ...(process.env['PATH'] ?? '').split(':').filter(Boolean)];
  return folders.map((folder) => join(folder, 'jcmd')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Has a Java machine write the names of its compiled code to `/tmp/perf-PID.map` (`jcmd PID Compiler.perfmap`, from Java 17 on). Does nothing to
 * other programs.
 */
export async function writeJavaPerfMap(pid: number): Promise<JavaPerfMap> {
  const java = optional(() => readlinkSync(`/proc/${pid}/exe`));
  if (java === undefined || basename(java) !== 'java') return { kind: 'not-java' };
  const jcmd = findJcmd(java);
  if (!jcmd) return { kind: 'no-jcmd', reason: 'there is no jcmd here (it is part of the JDK)' };
  const owner = optional(() => statSync(`/proc/${pid}`));
  // Only the machine's own user may attach, not even root.
  const asOwner = process.geteuid?.() === 0 && owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : {};
  return new Promise((resolve) => {
    execFile(jcmd, [String(pid), 'Compiler.perfmap'], { timeout: TIMEOUT_MS, ...asOwner }, (error, stdout, stderr) => {
      const said = `${stdout}\n${stderr}`.trim().split('\n').at(-1) ?? '';
      if (error || /exception|unknown diagnostic command/i.test(`${stdout}${stderr}`)) {
        resolve({ kind: 'failed', reason: said || (error?.message ?? 'it said nothing') });
      } else resolve({ kind: 'written' });
    });
  });
}
