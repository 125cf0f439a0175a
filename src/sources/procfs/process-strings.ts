import { readFileSync } from '../file-system.js';

/** Splits the NUL-separated text of `/proc/PID/cmdline` or `environ`, byte for byte; an empty argument stays one. */
export function parseNulSeparated(content: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  while (start < content.length) {
    const end = content.indexOf(0, start);
    parts.push(content.subarray(start, end === -1 ? content.length : end));
    start = end === -1 ? content.length : end + 1;
  }
  return parts;
}

/** Parses an environment block; of duplicates the first counts, as in getenv(3). Entries without `=` are passed over. */
export function parseEnvironment(content: Buffer): Map<string, string> {
  const environment = new Map<string, string>();
  for (const part of parseNulSeparated(content)) {
    const text = part.toString('utf8');
    const equals = text.indexOf('=');
    if (equals > 0 && !environment.has(text.slice(0, equals))) {
      environment.set(text.slice(0, equals), text.slice(equals + 1));
    }
  }
  return environment;
}

/** The arguments of a process, byte for byte. Throws the system's error where they cannot be read. */
export function readCommandLine(pid: number | 'self'): Buffer[] {
  return parseNulSeparated(readFileSync(`/proc/${pid}/cmdline`));
}

/** The environment a process was started with (not what it has changed since). Throws the system's error. */
export function readStartEnvironment(pid: number | 'self'): Map<string, string> {
  return parseEnvironment(readFileSync(`/proc/${pid}/environ`));
}
