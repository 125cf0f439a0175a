import { isSystemError } from '../../errors.js';
import { lstatSync, readdirSync, readlinkSync } from '../file-system.js';

/** What a descriptor stands for. */
export interface OpenDescriptor {
  /** As the kernel names it: `socket:[123]`, `pipe:[124]`, `/var/log/app`. */
  readonly target: string;
  readonly writable: boolean;
}

/**
 * Tells which descriptors this process was given, from those that Node opened itself. At its start Node marks all of them
 * close-on-exec (`uv_disable_stdio_inheritance`), so socket activation, extra pipes and even stdout would end at an execve.
 *
 * Node takes the lowest free numbers, an epoll first: what stands below that was there before. Above it, files, terminals and pipes
 * of which we hold one end only were given; of its own pipes Node holds both ends.
 *
 * @param listens an inspector, or the program itself, may be listening: a socket above the first epoll, and libuv's spare /dev/null, may be Node's.
 */
export function inferInheritedDescriptors(
  descriptors: ReadonlyMap<number, OpenDescriptor>,
  listens: boolean,
): number[] {
  const all = [...descriptors].sort(([a], [b]) => a - b);
  const firstOwn = all.find(([, { target }]) => target === 'anon_inode:[eventpoll]')?.[0] ?? Infinity;
  const holdsBothEnds = (pipe: string) => {
    const ends = all.filter(([, { target }]) => target === pipe);
    return ends.some(([, { writable }]) => writable) && ends.some(([, { writable }]) => !writable);
  };
  return all
    .filter(([number, { target }]) => {
      if (number < firstOwn) return true;
      if (target.startsWith('anon_inode:')) return false;
      if (target.startsWith('pipe:')) return !holdsBothEnds(target);
      if (target.startsWith('socket:') || target === '/dev/null') return !listens;
      return target.startsWith('/');
    })
    .map(([number]) => number);
}

/** The descriptors of this process; 0 to 2 at least where the system does not show them. */
export function readOwnDescriptors(): Map<number, OpenDescriptor> {
  const descriptors = new Map<number, OpenDescriptor>();
  try {
    for (const name of readdirSync('/proc/self/fd')) {
      try {
        const link = `/proc/self/fd/${name}`;
        // The link's own permission bits say how the file was opened.
        descriptors.set(Number(name), { target: readlinkSync(link), writable: (lstatSync(link).mode & 0o200) !== 0 });
      } catch (error) {
        // The descriptor of the listing itself is gone by now.
        if (!isSystemError(error)) throw error;
      }
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    for (const number of [0, 1, 2]) descriptors.set(number, { target: '', writable: number > 0 });
  }
  return descriptors;
}
