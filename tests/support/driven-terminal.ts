import { join } from 'node:path';
import { expect } from 'vitest';
import { JEM, ROOT, runProgram } from './programs.js';

/** What is done on a terminal; see pty-drive.py. */
export type TerminalStep =
  | { readonly expect: string }
  | { readonly type: string }
  | { readonly resize: readonly [columns: number, lines: number] }
  | { readonly signal: number }
  | { readonly hangup: true };

/** What a driven program left behind. */
export interface DrivenEnd {
  readonly code: number | null;
  readonly signal: number | null;
  readonly sameModes: boolean;
  /** What was shown between the last action and each expected text. */
  readonly seen: readonly string[];
  readonly output: string;
}

/** Drives a program on a terminal of 100 columns and 24 lines to its end; fails where an expected text does not come. */
export async function driveProgram(
  command: readonly string[],
  steps: readonly TerminalStep[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<DrivenEnd> {
  const drive = join(ROOT, 'tests', 'support', 'pty-drive.py');
  const { stdout, stderr } = await runProgram('/usr/bin/python3', [drive, JSON.stringify(steps), ...command], {
    env: { TERM: 'xterm', LANG: 'C.UTF-8', ...env },
  });
  expect(stderr).toBe('');
  const end = JSON.parse(stdout) as DrivenEnd & { failed: string | null };
  expect(end.failed, end.output).toBeNull();
  return end;
}

/** {@link driveProgram} for `jem`. */
export function driveJem(
  args: readonly string[],
  steps: readonly TerminalStep[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<DrivenEnd> {
  return driveProgram([process.execPath, JEM, ...args], steps, env);
}
