import { readFileSync } from 'node:fs';
import { isSystemError, JemkitError } from '../../errors.js';
import type { RecentAllocation } from '../../model/recent-allocation.js';

function refuse(what: string, path: string): JemkitError {
  return new JemkitError('ERR_JEM_PROFILE', `${path} is no list of recent allocations: ${what}`, {
    hint: 'it is what the mallctl experimental.prof_recent.alloc_dump writes (jemalloc 5.3, started with prof:true,prof_recent_alloc_max:10000)',
    details: { path },
  });
}

type Row = Readonly<Record<string, unknown>>;

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);

function parseAddress(text: unknown): number | undefined {
  const address = typeof text === 'string' && /^0x[0-9a-f]{1,16}$/i.test(text) ? Number(text) : undefined;
  // No place of user space: what does not fit a number is none of ours.
  return Number.isSafeInteger(address) ? address : undefined;
}

function parseRow(row: unknown, at: number, path: string): RecentAllocation {
  const place = `recent_alloc[${at}]`;
  if (!isRow(row)) throw refuse(`${place} is no object`, path);
  const number = (key: string) => {
    const value = row[key];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
      throw refuse(`${place}.${key} is no number`, path);
    return value;
  };
  const { alloc_trace: trace } = row;
  const addresses = Array.isArray(trace) ? trace.map(parseAddress) : [undefined];
  if (addresses.includes(undefined)) throw refuse(`${place}.alloc_trace is no list of addresses`, path);
  return {
    bytes: number('usize' in row ? 'usize' : 'size'),
    allocatedAtNs: number('alloc_time'),
    freedAtNs: 'dalloc_time' in row ? number('dalloc_time') : undefined,
    freed: row['released'] === true,
    trace: addresses as number[],
  };
}

/**
 * Parses what jemalloc's `experimental.prof_recent.alloc_dump` writes.
 *
 * @throws JemkitError ERR_JEM_PROFILE for anything else.
 */
export function parseRecentAllocations(text: string, path: string): RecentAllocation[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message, path);
  }
  const rows = isRow(document) ? document['recent_alloc'] : undefined;
  if (!Array.isArray(rows)) throw refuse('it has no recent_alloc', path);
  return rows.map((row, at) => parseRow(row, at, path));
}

/** @throws JemkitError ERR_JEM_FILE, ERR_JEM_PROFILE */
export function readRecentAllocations(path: string): RecentAllocation[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new JemkitError('ERR_JEM_FILE', `cannot read ${path}: ${error.message}`, {
      hint: 'name the list of recent allocations with --recent',
      details: { path },
      cause: error,
    });
  }
  return parseRecentAllocations(text, path);
}
