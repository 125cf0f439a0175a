import type { MallocConfPair } from '../model/malloc-conf.js';
import type { OptionRow } from '../model/malloc-conf-options.js';
import type { MallocConfFinding } from '../model/malloc-conf-report.js';
import { readOptionValue, suggestNumber } from '../model/malloc-conf-value.js';
import { valuePart, wholePair } from './malloc-conf-parts.js';
import { nearestName } from './nearest-name.js';

/** The value that was probably meant, as the option takes it. */
export function suggestValue(row: OptionRow, value: string): string | undefined {
  const trimmed = value.trim().replace(/^(["'])(.*)\1$/, '$2');
  if (row.type === 'bool') {
    if (/^(1|yes|on|true|t)$/i.test(trimmed)) return 'true';
    if (/^(0|no|off|false|f)$/i.test(trimmed)) return 'false';
  }
  if (row.type === 'choice') return nearestName(trimmed, row.values ?? []);
  const number = suggestNumber(row, trimmed);
  if (number !== undefined) return number;
  return trimmed !== value && readOptionValue(row, trimmed).kind === 'fine' ? trimmed : undefined;
}

/** Whether jemalloc takes a pair's value, and as what. */
export function checkOptionValue(pair: MallocConfPair, row: OptionRow): MallocConfFinding[] {
  const read = readOptionValue(row, pair.value);
  if (read.kind === 'fine') return [];
  const at = pair.value === '' ? wholePair(pair) : valuePart(pair);
  const shown = pair.value === '' ? 'nothing' : `'${pair.value}'`;
  if (read.kind === 'wrong') {
    const guess = suggestValue(row, pair.value);
    return [
      {
        id: read.reason === 'range' ? 'out-of-range' : 'invalid-value',
        severity: 'problem',
        title: `${pair.key} received ${shown}, expected ${read.expected}`,
        ...(guess === undefined ? {} : { remedy: `${pair.key}:${guess}` }),
        ...at,
      },
    ];
  }
  const remedy = `${pair.key}:${read.taken}`;
  const base = { severity: 'warning', remedy, ...at } as const;
  switch (read.reason) {
    case 'clipped':
      return [
        {
          ...base,
          id: 'clipped-value',
          title: `${pair.key}: jemalloc takes ${read.taken} for ${shown}, without a word`,
        },
      ];
    case 'octal':
      return [
        {
          ...base,
          id: 'octal-value',
          title: `${pair.key}: jemalloc reads ${shown} as octal, that is ${read.taken}`,
          remedy: `${pair.key}:${pair.value.trim().replace(/^([+-]?)0+(?=\d)/, '$1')}`,
        },
      ];
    case 'leading-space':
      return [
        {
          ...base,
          id: 'space-in-pair',
          title: `a space before the value of ${pair.key}`,
          cause: 'jemalloc takes it before a number, but nowhere else: not before true, and not after the comma',
        },
      ];
    case 'abbreviated':
      return [{ ...base, id: 'abbreviated-value', title: `${pair.key}: jemalloc takes ${shown} for ${read.taken}` }];
  }
}
