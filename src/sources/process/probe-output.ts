import type { FilterTrial, LibraryProbe } from '../../model/probe.js';

type Serving = Extract<LibraryProbe, { kind: 'works' }>['serving'];

const SERVING: readonly string[] = ['jemalloc', 'mimalloc', 'tcmalloc', 'system'];

/** mimalloc says 209 for 2.0.9 and 2112 for 2.1.12: major, minor, and the patch in what is left. */
function mimallocVersion(text: string | undefined): string | undefined {
  const match = /^(\d)(\d)(\d{1,2})$/.exec(text ?? '');
  return match ? `${match[1]}.${match[2]}.${match[3]}` : undefined;
}

/**
 * Parses what stands behind the answers where the agent's system calls were tried (`native/agent/trial.c`): each call before it is made,
 * then the outcome, where there was somebody left to write it. Undefined where it is no such text.
 */
function parseTrial(text: string): FilterTrial | undefined {
  const [first = '', ...lines] = text.split('\n').slice(0, -1);
  if (first === 'filters unknown') return { kind: 'uncounted' };
  const proof = /^filters (\d+-[0-9a-f]{16})$/.exec(first)?.[1];
  if (proof === undefined) return undefined;
  const last = lines.filter((line) => !line.startsWith('signal ')).at(-1) ?? '';
  if (last === 'works') return { kind: 'works', proof };
  const refused = /^refused (\w+) (\d+)$/.exec(last);
  if (refused) return { kind: 'refused', call: refused[1] ?? '', errno: Number(refused[2]) };
  return { kind: 'fatal', call: /^call (\w+)$/.exec(last)?.[1] ?? 'fork' };
}

/**
 * Parses what `native/agent/probe.c` prints; undefined where the answer is not whole, so that a program which ran on by mistake
 * is never taken for a proof.
 */
export function parseProbeOutput(text: string): Omit<Extract<LibraryProbe, { kind: 'works' }>, 'messages'> | undefined {
  const end = text.indexOf('\nend\n');
  const behind = text.slice(end + '\nend\n'.length);
  const lines = text.slice(0, end).split('\n');
  const trial = parseTrial(behind);
  if (end === -1 || lines[0] !== 'jemkit-probe 1' || (behind !== '' && !trial)) return undefined;
  const answers: Record<string, string> = {};
  for (const line of lines.slice(1)) {
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
  return { kind: 'works', serving: serving as Serving, version, answers: rest, ...(trial ? { filters: trial } : {}) };
}
