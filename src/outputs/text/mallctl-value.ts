import type { MallctlRow } from '../../model/mallctl-keys/row.js';
import { formatBytes } from './bytes.js';
import { printable } from './table.js';

const isCount = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

/** A value of jemalloc with its unit, exact, and beside it in a form for people where that is another: `4294967296 B (4.00 GiB)`. */
export function formatMallctlValue(row: MallctlRow, value: unknown): string {
  if (typeof value === 'string') return value === '' ? "''" : printable(value);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, part]) => `${name} ${part}`)
      .join(', ');
  }
  if (!isCount(value)) return String(value);
  if (row.type === 'void *') return `0x${value.toString(16)}`;
  switch (row.unit) {
    case 'bytes':
      return Math.abs(Number(value)) < 1024 ? `${value} B` : `${value} B (${formatBytes(Number(value))})`;
    case 'log2 bytes':
      return `${value} (${formatBytes(2 ** Number(value))})`;
    case 'ms':
      return value === -1 || value === -1n ? '-1 ms (for ever)' : `${value} ms`;
    case 'ns':
    case 'pages':
      return `${value} ${row.unit}`;
    case '1/65536':
      return `${value} (${(Number(value) / 65_536).toFixed(3)})`;
    default:
      return String(value);
  }
}
