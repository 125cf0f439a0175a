/** What a request of pprof's kind asks for. */
export type PprofRequest =
  | { readonly kind: 'index' }
  /** The index without its slash, from which its links would lead astray. */
  | { readonly kind: 'index-elsewhere' }
  | {
      readonly kind: 'profile';
      readonly name: 'heap' | 'allocs';
      /** The difference over so many seconds. */
      readonly seconds: number | undefined;
      readonly asText: boolean;
      readonly gcFirst: boolean;
    }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'invalid'; readonly reason: string };

const LONGEST_SECONDS = 3600;

/**
 * Reads the path and query of a request. A server that mounts the handler below a path may have taken that away, so only what comes after `/debug/pprof`, or all of
 * it, counts.
 */
export function parsePprofRequest(url: string): PprofRequest {
  const [path = '', query = ''] = url.split('#')[0]?.split(/\?(.*)/s) ?? [];
  const mounted = /^.*\/debug\/pprof(?=\/|$)/.exec(path)?.[0];
  const rest = mounted === undefined ? path : path.slice(mounted.length);
  if (rest === '') return { kind: 'index-elsewhere' };
  if (rest === '/') return { kind: 'index' };
  const name = rest.slice(1);
  if (name !== 'heap' && name !== 'allocs') return { kind: 'unknown' };
  const parameters = new URLSearchParams(query);
  const text = parameters.get('seconds');
  const seconds = text === null ? undefined : Number(text);
  if (seconds !== undefined && !(/^\d+$/.test(text ?? '') && seconds >= 1 && seconds <= LONGEST_SECONDS)) {
    return {
      kind: 'invalid',
      reason: `seconds is '${text?.slice(0, 40)}' (expected a whole number from 1 to ${LONGEST_SECONDS})`,
    };
  }
  const isOn = (parameter: string) => !['', '0'].includes(parameters.get(parameter) ?? '');
  return { kind: 'profile', name, seconds, asText: isOn('debug'), gcFirst: isOn('gc') };
}
