import { chmodSync, cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, ROOT, type RunOptions, runProgram } from './programs.js';

/** nobody on Debian: owns nothing, may look into nobody else. */
export const STRANGER = 65534;

/** True where tests may become another user. */
export const mayChangeUser = process.geteuid?.() === 0;

/**
 * Copies the built command line to where every user can read it (a checkout may lie in a closed home) and gives a way to run it as
 * a user who may not look into our processes. Where the tests do not run as root it runs as we do.
 */
export function installForStrangers(
  folder: string,
): (args: readonly string[], options?: RunOptions) => Promise<Finished> {
  const root = join(folder, 'jemkit');
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  for (const name of ['dist', 'prebuilds', 'package.json'])
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  cpSync(join(ROOT, 'node_modules', 'commander'), join(root, 'node_modules', 'commander'), { recursive: true });
  open(root);
  const user = mayChangeUser ? { uid: STRANGER, gid: STRANGER } : {};
  return (args, options = {}) =>
    runProgram(process.execPath, [join(root, 'dist', 'cli', 'main.cjs'), ...args], {
      cwd: '/',
      ...user,
      ...options,
      env: { HOME: '/nonexistent', ...options.env },
    });
}

function open(path: string): void {
  chmodSync(path, 0o755);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) open(below);
    else if (entry.isFile()) chmodSync(below, 0o644);
  }
}
