import { JemkitError } from '../../errors.js';

export interface ProfileErrorFacts {
  /** What is there. */
  readonly received: string;
  readonly expected: string;
  readonly hint?: string;
  /** From 1. */
  readonly line?: number;
}

/** The error for a file that is no heap profile, or a broken one; `readHeapProfile` adds the file's name. */
export function profileError(what: string, { received, expected, hint, line }: ProfileErrorFacts): JemkitError {
  const where = line === undefined ? '' : `line ${line}: `;
  return new JemkitError('ERR_JEM_PROFILE', `${where}${what}: received ${received}, expected ${expected}`, {
    hint: hint ?? 'take the profile again with jem profile PID, or copy the file again',
    details: { received, expected, ...(line === undefined ? {} : { line }) },
  });
}

/** Some of a file's bytes as one can print them. */
export function excerpt(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const text = textOf(bytes, start, Math.min(end, start + 60));
  return JSON.stringify(end - start > 60 ? text + '…' : text);
}

export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.max(0, end - start)).toString('utf8');
}
