import { compareJemallocVersions, parseJemallocVersion } from '../model/jemalloc-version.js';
import { type FoundMallctlKey, findMallctlKey, MALLCTL_KEYS, type MallctlKey } from '../model/mallctl-keys.js';
import { explainMallctl, type MallctlExplanation } from './explain-mallctl.js';

/** jemalloc's index for the sum over all arenas, or an order to all of them. */
const ALL = 4096;

/** A key as a person writes it, understood or not. */
export type MallctlNameReading =
  | { readonly kind: 'found'; readonly name: string; readonly found: FoundMallctlKey }
  | ({ readonly kind: 'wrong' } & MallctlExplanation);

/** Whether 4096 stands for all arenas in a key, and not for an index that jemalloc would look up. */
function takesAll({ key, row }: FoundMallctlKey): boolean {
  return row.allArenas === true || key.startsWith('stats.arenas.<i>');
}

function wrongAll(name: string, { key }: FoundMallctlKey): MallctlNameReading {
  const decay = /^arena\.<i>\.(dirty|muzzy)_decay_ms$/.exec(key)?.[1];
  return {
    kind: 'wrong',
    message: `'${name}' is of one arena: 'all' (${ALL}) is for ${allArenaKeys()}`,
    hint: decay
      ? `jem decay PID --${decay}-ms N sets it for all arenas`
      : `give an index, from 0 to one below arenas.narenas: ${key.replace('<i>', '0')}`,
  };
}

function allArenaKeys(): string {
  const names = (Object.keys(MALLCTL_KEYS) as MallctlKey[]).filter(
    (key) => key.startsWith('arena.') && takesAll({ key, row: MALLCTL_KEYS[key] }),
  );
  return [...names.map((key) => key.replace('<i>', 'all')), 'stats.arenas.all.…']
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
}

/** Reads a key's name; `all` in place of an arena's index stands for all of them. */
export function readMallctlName(text: string): MallctlNameReading {
  const name = text.replace(/^(arena|stats\.arenas)\.all(?=\.|$)/, `$1.${ALL}`);
  const found = findMallctlKey(name);
  if (found) {
    const ofAll = found.key.startsWith('arena.') && name.startsWith(`arena.${ALL}.`);
    return ofAll && !takesAll(found) ? wrongAll(text, found) : { kind: 'found', name, found };
  }
  if (Object.hasOwn(MALLCTL_KEYS, text)) {
    const row = MALLCTL_KEYS[text as MallctlKey];
    const index = takesAll({ key: text as MallctlKey, row }) ? "0, 1, … or 'all'" : '0, 1, …';
    return {
      kind: 'wrong',
      message: `'${text}' needs an index in place of <i>: ${index}`,
      hint: `for example ${text.replaceAll(/<[ij]>/g, '0')}`,
    };
  }
  return { kind: 'wrong', ...explainMallctl(text, { kind: 'unknown-key' }) };
}

function nothingAt(key: string, arenas: number | undefined): string {
  const ofArena = key.startsWith('arena.') || key.startsWith('stats.arenas.');
  return `there is nothing at this index${ofArena && arenas ? ` (arenas.narenas is ${arenas})` : ''}`;
}

/** Why a jemalloc does not have a key that others have. `arenas`: how many arenas it may have now. */
export function explainAbsentKey(
  { key, row }: FoundMallctlKey,
  version: string | undefined,
  arenas: number | undefined,
): string {
  const release = version === undefined ? undefined : parseJemallocVersion(version);
  if (release && compareJemallocVersions(release, row.since) < 0)
    return `not in jemalloc ${release}: it came with ${row.since}`;
  if (release && row.removedIn && compareJemallocVersions(release, row.removedIn) >= 0)
    return `no longer in jemalloc ${release}: it went with ${row.removedIn}`;
  const reasons = [
    ...(row.needs ? [`it needs ${row.needs}`] : []),
    ...(row.perhapsAbsent ? [row.perhapsAbsent] : []),
    ...(key.includes('<i>') ? [nothingAt(key, arenas)] : []),
  ];
  return reasons.length > 0 ? reasons.join(', or ') : 'this jemalloc does not have it';
}
