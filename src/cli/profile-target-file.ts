import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ProfileTarget, parseProfileTarget } from '../control/profiling/profile-file.js';
import { JemkitError } from '../errors.js';

/** A program's name as a part of a file's. */
export const fileWord = (name: string) => basename(name).replace(/[^\w.+-]/g, '_') || 'program';

/** `jemkit-node-4711-20260131T235959`, by the clock of UTC. */
export function defaultStem(program: string, pid: number, now: Date): string {
  return join('.', `jemkit-${fileWord(program)}-${pid}-${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}`);
}

/**
 * Where `-o` says that captures go.
 *
 * @throws JemkitError ERR_JEM_USAGE for an ending that is none.
 */
export function readTarget(output: string): ProfileTarget {
  const target = parseProfileTarget(output);
  if (target) return target;
  if (/(^|\/)\.{0,2}$/.test(output) || statSync(output, { throwIfNoEntry: false })?.isDirectory()) {
    throw new JemkitError('ERR_JEM_USAGE', `-o ${output} is a folder (expected the name of a file)`, {
      hint: `-o ${join(output, 'heap.pb.gz')}`,
    });
  }
  throw new JemkitError('ERR_JEM_USAGE', `-o ${output}: the name's end says the form (expected .pb.gz or .heap)`, {
    hint: `-o ${output.replace(/\.(pb|gz|pprof|html|svg|txt)$/, '')}.pb.gz; a page or a picture is made of it: jem report FILE --html`,
  });
}
