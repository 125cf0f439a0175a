import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isSystemError } from '../../errors.js';

/** The name of a shell in a path or a process name: `-bash` of a login shell and `/usr/bin/fish` alike. */
export function parseShellName(name: string): 'sh' | 'bash' | 'zsh' | 'fish' | undefined {
  const plain = basename(name.trim()).replace(/^-/, '');
  if (plain === 'bash' || plain === 'zsh' || plain === 'fish') return plain;
  return ['sh', 'dash', 'ash', 'ksh', 'mksh'].includes(plain) ? 'sh' : undefined;
}

/** The shell that started this process, or undefined where something else did or the system does not tell. */
export function readCallingShell(parent: number = process.ppid): ReturnType<typeof parseShellName> {
  try {
    return parseShellName(readFileSync(`/proc/${parent}/comm`, 'utf8'));
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
