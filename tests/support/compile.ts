import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Compiles C source to `name` in a folder and gives its path. The arguments come last, for libraries. */
export function compile(
  folder: string,
  name: string,
  source: string,
  args: readonly string[] = [],
  compiler = 'cc',
): string {
  const output = join(folder, name);
  const { status, stderr, error } = spawnSync(compiler, ['-x', 'c', '-', '-x', 'none', '-O1', '-o', output, ...args], {
    input: source,
  });
  if (status !== 0) throw new Error(`${compiler} failed on ${name}: ${error?.message ?? stderr.toString()}`);
  return output;
}

/** {@link compile} to a shared library. */
export function compileLibrary(folder: string, name: string, source: string, args: readonly string[] = []): string {
  return compile(folder, name, source, ['-shared', '-fPIC', ...args]);
}
