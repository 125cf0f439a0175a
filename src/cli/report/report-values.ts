import { InvalidArgumentError } from 'commander';
import { PROFILE_GROUPINGS, type ProfileGrouping } from '../../model/profile-report.js';

/** A regular expression as pprof takes it: with `(?i)` in front for any case. */
export function parsePattern(text: string): RegExp {
  const [, flags = '', rest = ''] = /^(?:\(\?([is]+)\))?([\s\S]*)$/.exec(text) ?? [];
  try {
    return new RegExp(rest, [...new Set(flags)].join(''));
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}

/** jeprof's `--nodecount=-1` and ours of 0 are all of them. */
export function parseNodeCount(text: string): number {
  return text === '-1' ? 0 : parseCount(text);
}

export function parseFraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected a number from 0 to 1.');
  return value;
}

export function parseGrouping(text: string): ProfileGrouping {
  const found = PROFILE_GROUPINGS.find((name) => name === text || `${name}s` === text);
  if (!found) throw new InvalidArgumentError(`expected one of: ${PROFILE_GROUPINGS.join(', ')}.`);
  return found;
}
