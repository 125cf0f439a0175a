import { existsSync } from 'node:fs';
import { JemkitError } from '../errors.js';

/**
 * Throws where there are no processes to be looked at.
 *
 * @throws JemkitError ERR_JEM_UNSUPPORTED_PLATFORM.
 */
export function requireProc(verb: string): void {
  if (process.platform !== 'linux') {
    throw new JemkitError(
      'ERR_JEM_UNSUPPORTED_PLATFORM',
      `jem ${verb} looks at processes through /proc, which ${process.platform} does not have`,
      { hint: 'memory.stats() of the library works here too, inside the program' },
    );
  }
  if (existsSync('/proc/self/stat')) return;
  throw new JemkitError(
    'ERR_JEM_UNSUPPORTED_PLATFORM',
    `jem ${verb} looks at processes through /proc, which is empty here`,
    {
      hint: 'mount it: mount -t proc proc /proc; or ask from outside of this chroot or container',
    },
  );
}
