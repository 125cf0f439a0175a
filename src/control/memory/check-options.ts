import { inspect } from 'node:util';
import { nearestName } from '../../analyses/nearest-name.js';
import { JemkitError } from '../../errors.js';

/** What an option may be: what `typeof` says, or 'array'. */
export type OptionKind = 'boolean' | 'number' | 'string' | 'object' | 'function' | 'array';

/** Every option of one object by its name. */
export type OptionKinds<Options> = Readonly<Record<keyof Options & string, readonly OptionKind[]>>;

/** Where options are given: `createMemory` and, of an option that holds options itself, its name. */
export interface OptionPlace {
  readonly caller: string;
  /** `trend.`; empty for those of the call itself. */
  readonly prefix?: string;
}

/** A value as a person would write it: 'text', 5n, [ 1, 2 ]. */
export function writtenOut(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60, maxArrayLength: 4 });
}

/** Refuses an option: what happened, and what to do. */
export function refuseOption({ caller, prefix = '' }: OptionPlace, message: string, hint?: string): never {
  throw new JemkitError('ERR_JEM_USAGE', `${caller}: ${prefix}${message}`, {
    hint: hint ?? 'leave it out for the default',
  });
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/**
 * Holds an object of options against what there is: names first, since a misspelled one would otherwise be left without effect.
 *
 * @throws JemkitError ERR_JEM_USAGE
 */
export function checkOptions<Options extends object>(
  place: OptionPlace,
  given: Options,
  kinds: OptionKinds<Options>,
): void {
  const { caller, prefix = '' } = place;
  if (kindOf(given) !== 'object') {
    const what = prefix === '' ? '' : `${prefix.slice(0, -1)} is `;
    throw new JemkitError(
      'ERR_JEM_USAGE',
      `${caller}: ${what || 'received '}${writtenOut(given)} (expected an object)`,
      {
        hint: `expected { ${Object.keys(kinds).join(', ')} }, each of which may be left out`,
      },
    );
  }
  const known = Object.keys(kinds);
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    throw new JemkitError('ERR_JEM_USAGE', `${caller}: no option '${prefix}${name}'`, {
      hint: nearest ? `did you mean '${nearest}'?` : `expected ${known.join(', ')}`,
    });
  }
  for (const [name, expected] of Object.entries<readonly OptionKind[]>(kinds)) {
    const value: unknown = given[name as keyof Options];
    if (value !== undefined && !expected.includes(kindOf(value) as OptionKind))
      refuseOption(place, `${name} is ${writtenOut(value)} (expected ${expected.join(' or ')})`);
  }
}
