import { readlinkSync } from 'node:fs';
import { join } from 'node:path';

const MAX_LINKS = 40;

/**
 * Where a path of a container is outside of it: symbolic links on the way lead where they would inside, not to the files of this
 * machine. Without a root it is the path itself.
 */
export function pathInRoot(root: string | undefined, path: string): string {
  if (root === undefined || root === '' || root === '/') return path;
  const left = path.split('/').reverse();
  const done: string[] = [];
  for (let links = 0; left.length > 0; ) {
    const part = left.pop() as string;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const target = links < MAX_LINKS ? linkTarget(join(root, ...done, part)) : undefined;
    if (target === undefined) {
      done.push(part);
      continue;
    }
    links++;
    if (target.startsWith('/')) done.length = 0;
    left.push(...target.split('/').reverse());
  }
  return join(root, ...done);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
