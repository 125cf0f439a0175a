import type { ConfFacts } from '../../model/doctor-facts.js';

/** How a line stands: in order, worth a look, broken, or plain information. */
export type Sign = 'ok' | 'look' | 'bad' | 'plain';

/** One line of the page: what it is about, and what was found. */
export interface PageLine {
  readonly sign: Sign;
  readonly label: string;
  readonly text: string;
}

/** Lines under a heading. */
export interface PageGroup {
  readonly heading: string;
  readonly lines: readonly PageLine[];
}

/** Lines about jemalloc's options, for any page: each option with its source. */
export function confLines(conf: ConfFacts): PageLine[] {
  if (conf.origins.length === 0)
    return [{ sign: 'plain', label: 'MALLOC_CONF', text: 'nothing sets options: jemalloc uses its defaults' }];
  const blamed = conf.findings.some(({ severity }) => severity === 'problem');
  const origins = conf.origins.map(
    ({ name, text }): PageLine => ({ sign: blamed ? 'look' : 'ok', label: 'set by', text: `${name}: ${text}` }),
  );
  const options = conf.effective.map(({ key, value, origin, overrides }): PageLine => {
    const before = overrides.length > 0 ? `, over ${overrides.map(({ name }) => name).join(', ')}` : '';
    return { sign: 'ok', label: key, text: `${value}  (${origin.name}${before})` };
  });
  const ignored = conf.ignored.map(
    ({ key, value, origin }): PageLine => ({ sign: 'bad', label: key, text: `${value}  (${origin.name}; ignored)` }),
  );
  return [...origins, ...options, ...ignored];
}
