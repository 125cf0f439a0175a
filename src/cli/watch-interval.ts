import { JemkitError } from '../errors.js';
import { DURATION_FORMS, parseDuration } from '../model/duration.js';

const DEFAULT_MS = 2000;
const LONGEST_MS = 3_600_000;
/** A plain number above this is no interval: somebody wrote `--watch PID`. */
const LONGEST_PLAIN_SECONDS = 60;

/** What `--watch [interval]` was given: nothing, no value, or the word behind it. */
export type WatchValue = string | true | undefined;

function parseInterval(text: string, shortestMs: number): number | undefined {
  const ms = parseDuration(text);
  if (ms === undefined || ms < shortestMs || ms > LONGEST_MS) return undefined;
  return /^\d+$/.test(text) && ms > LONGEST_PLAIN_SECONDS * 1000 ? undefined : ms;
}

/**
 * Reads `--watch [interval]`. Commander gives it the word that follows, also where that was meant as the process: such a word is
 * given back as `word`.
 *
 * @throws JemkitError ERR_JEM_USAGE for a word that can be neither.
 */
export function readWatchInterval(
  value: WatchValue,
  { verb, shortestMs, mayBeWord }: { readonly verb: string; readonly shortestMs: number; readonly mayBeWord: boolean },
): { readonly intervalMs: number | undefined; readonly word?: string } {
  if (value === undefined) return { intervalMs: undefined };
  if (value === true) return { intervalMs: DEFAULT_MS };
  const intervalMs = parseInterval(value, shortestMs);
  if (intervalMs !== undefined) return { intervalMs };
  // 0 and fractions are never a pid or a name.
  if (mayBeWord && !/^(0|\d*\.\d+|-.*)$/.test(value)) return { intervalMs: DEFAULT_MS, word: value };
  throw new JemkitError('ERR_JEM_USAGE', `--watch '${value}' is no interval that jem ${verb} takes`, {
    hint: `expected ${shortestMs / 1000} to ${LONGEST_PLAIN_SECONDS} seconds, or up to 1h with a unit (${DURATION_FORMS})`,
  });
}
