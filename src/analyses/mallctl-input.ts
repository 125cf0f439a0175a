import { parseByteSize } from '../model/byte-size.js';
import { parseDuration } from '../model/duration.js';
import { MALLCTL_TYPES, type MallctlRow } from '../model/mallctl-keys/row.js';

const TRUTH: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  false: false,
  off: false,
  no: false,
};

function parseNumber(row: MallctlRow, text: string): bigint | undefined {
  if (/^[-+]?\d{1,24}$/.test(text)) return BigInt(text.replace('+', ''));
  // A plain number is what jemalloc counts in; with a unit it is what the unit says.
  const amount = row.unit === 'bytes' ? parseByteSize(text) : row.unit === 'ms' ? parseDuration(text) : undefined;
  return amount === undefined || !Number.isInteger(amount) ? undefined : BigInt(amount);
}

/** A value as a person types it, by the type and unit of its key: `5s` of milliseconds, `64KiB` of bytes. Undefined where it is none. */
export function parseMallctlInput(row: MallctlRow, text: string): boolean | bigint | string | undefined {
  switch (MALLCTL_TYPES[row.type].javascript) {
    case 'boolean':
      return TRUTH[text.toLowerCase()];
    case 'number':
    case 'bigint':
      return parseNumber(row, text);
    case 'string':
      return text;
    default:
      return undefined;
  }
}
