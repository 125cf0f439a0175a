import { JemkitError } from '../errors.js';

/** Why a process is none that could be looked at. */
export type Unavailability = 'gone' | 'zombie' | 'kernel-thread' | 'no-permission';

/** Who asked for it, and how. */
export interface Asking {
  /** The command, without the pid: `jem doctor`. */
  readonly command: string;
  readonly asRoot: boolean;
}

/** The error for a process that is not there, or not ours to look at. */
export function unavailableProcess(
  pid: number,
  kind: Unavailability,
  commandName: string | undefined,
  { command, asRoot }: Asking,
): JemkitError {
  const name = commandName ? ` (${commandName})` : '';
  switch (kind) {
    case 'gone':
      return new JemkitError(
        'ERR_JEM_NO_SUCH_PROCESS',
        `no process ${pid}: it does not exist, or ended while it was examined`,
        { hint: 'jem ps lists the processes there are' },
      );
    case 'zombie':
      return new JemkitError(
        'ERR_JEM_NO_SUCH_PROCESS',
        `process ${pid}${name} has ended and only waits for its parent to notice (zombie)`,
        { hint: 'jem ps lists the processes there are' },
      );
    case 'kernel-thread':
      return new JemkitError('ERR_JEM_NO_SUCH_PROCESS', `${pid}${name} is a thread of the kernel: it has no malloc`, {
        hint: 'jem ps lists the processes that have one',
      });
    case 'no-permission':
      return new JemkitError(
        'ERR_JEM_NO_PERMISSION',
        `process ${pid}${name} may not be examined by this user: the kernel refuses its memory map`,
        {
          hint: asRoot
            ? 'even root needs the capability CAP_SYS_PTRACE for it: ask from outside the container'
            : `sudo ${command} ${pid}`,
        },
      );
  }
}
