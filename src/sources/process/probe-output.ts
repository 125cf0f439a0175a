import type { LibraryProbe } from '../../model/probe.js';

type Serving = Extract<LibraryProbe, { kind: 'works' }>['serving'];

const SERVING: readonly string[] = ['jemalloc', 'mimalloc', 'tcmalloc', 'system'];

/** mimalloc says 209 for 2.0.9 and 2112 for 2.1.12: major, minor, and the patch in what is left. */
function mimallocVersion(text: string | undefined): string | undefined {
  const match = /^(\d)(\d)(\d{1,2})$/.exec(text ?? '');
  return match ? `${match[1]}.${match[2]}.${match[3]}` : undefined;
}

/**
 * Parses what `native/agent/probe.c` prints; undefined where the answer is not whole, so that a program which ran on by mistake
 * is never taken for a proof.
 */
export function parseProbeOutput(text: string): Omit<Extract<LibraryProbe, { kind: 'works' }>, 'messages'> | undefined {
  const lines = text.split('\n');
  if (lines[0] !== 'jemkit-probe 1' || lines.at(-2) !== 'end' || lines.at(-1) !== '') return undefined;
  const answers: Record<string, string> = {};
  for (const line of lines.slice(1, -2)) {
    const equals = line.indexOf('=');
    if (equals > 0) answers[line.slice(0, equals)] = line.slice(equals + 1);
  }
  const { serving, ...rest } = answers;
  if (serving === undefined || !SERVING.includes(serving)) return undefined;
  const version =
    serving === 'mimalloc'
      ? mimallocVersion(rest['mimalloc.version'])
      : serving === 'tcmalloc'
        ? rest['tcmalloc.version']
        : rest['version'];
  return { kind: 'works', serving: serving as Serving, version, answers: rest };
}
