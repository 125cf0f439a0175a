import { nearestKeys } from '../../analyses/explain-mallctl.js';
import { nearestName } from '../../analyses/nearest-name.js';
import { JemkitError } from '../../errors.js';
import { findMallctlKey } from '../../model/mallctl-keys.js';

const ACTIONS = ['get', 'set', 'list'] as const;

/** What `jem ctl` can do. */
export type CtlAction = (typeof ACTIONS)[number];

/** The words behind `jem ctl`, understood. */
export interface CtlWords {
  readonly target: string | undefined;
  readonly action: CtlAction;
  readonly rest: readonly string[];
}

/** True for a word that says what to do. */
export const isCtlAction = (word: string | undefined): word is CtlAction => ACTIONS.includes(word as CtlAction);

const usage = (message: string, hint: string) => new JemkitError('ERR_JEM_USAGE', message, { hint });

function wrongAction(words: readonly string[]): JemkitError {
  const [first = '', second] = words;
  const looksLikeKey = (word: string) => findMallctlKey(word) !== undefined || nearestKeys(word).length > 0;
  if (looksLikeKey(first)) {
    return usage(`what is to be done with '${first}'?`, `jem ctl get ${words.join(' ')}`);
  }
  if (second === undefined) {
    return usage(
      `what is to be done with '${first}'? Expected get or set and a key`,
      `jem ctl ${first} get stats.allocated`,
    );
  }
  if (looksLikeKey(second)) {
    return usage(`expected get or set before '${second}'`, `jem ctl ${first} get ${words.slice(1).join(' ')}`);
  }
  const meant = nearestName(second, ACTIONS) ?? 'get';
  return usage(
    `'${second}' is nothing that ctl does (expected get, set or list)`,
    `jem ctl ${[first, meant, ...words.slice(2)].join(' ')}`,
  );
}

/**
 * Understands the words of a command line: `[target] get KEY…`, `[target] set KEY [VALUE]`, `list [PATTERN]`. A process that is called
 * `get`, `set` or `list` is meant by its pid only.
 */
export function parseCtlWords(words: readonly string[]): CtlWords {
  const [first, second] = words;
  if (first === undefined) {
    throw usage('what is to be done? Expected get, set or list', 'jem ctl get stats.allocated, or jem ctl --help');
  }
  const parsed: CtlWords | undefined = isCtlAction(first)
    ? { target: undefined, action: first, rest: words.slice(1) }
    : isCtlAction(second)
      ? { target: first, action: second, rest: words.slice(2) }
      : undefined;
  if (!parsed) throw wrongAction(words);
  const { target, action, rest } = parsed;
  if (action === 'list' && target !== undefined)
    throw usage('list tells what jemkit knows, not what a process has', `jem ctl list ${rest.join(' ')}`.trimEnd());
  if (action !== 'list' && rest.length === 0)
    throw usage(`${action} needs a key`, `jem ctl ${[...words].join(' ')} stats.allocated, or jem ctl list`);
  const most = { get: Number.POSITIVE_INFINITY, set: 2, list: 1 }[action];
  if (rest.length > most) {
    throw usage(
      action === 'set'
        ? `set takes one key and one value, received ${rest.length} words: ${rest.join(' ')}`
        : `list takes one pattern, received ${rest.length}: ${rest.join(' ')}`,
      action === 'set' ? 'a value with spaces goes into quotes' : "a pattern goes into quotes: jem ctl list '*decay*'",
    );
  }
  return parsed;
}
