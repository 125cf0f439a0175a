import { didYouMean, nearestKeys } from '../../analyses/explain-mallctl.js';
import { JemkitError } from '../../errors.js';
import type { MallctlRow } from '../../model/mallctl-keys/row.js';
import { MALLCTL_KEYS, type MallctlKey } from '../../model/mallctl-keys.js';
import { renderTable } from '../../outputs/text/table.js';
import type { CommandContext } from '../command.js';

/** How the table of keys is shown. */
export interface ListKeysOptions {
  readonly json: boolean;
  /** Lines are cut at the terminal's width. */
  readonly cut: boolean;
}

/** A pattern of a shell, or a part of a name where it has no star. */
function matcher(pattern: string): (key: string) => boolean {
  if (!pattern.includes('*')) return (key) => key.includes(pattern);
  const expression = new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
  return (key) => expression.test(key);
}

const ACCESS = { read: 'get', 'read-write': 'get, set', write: 'set', trigger: 'set', call: '-' } as const;

/** `jem ctl list [PATTERN]`. */
export function listKeys(pattern: string | undefined, options: ListKeysOptions, { terminal }: CommandContext): void {
  const matches = matcher(pattern ?? '');
  const keys = (Object.keys(MALLCTL_KEYS) as MallctlKey[]).filter(matches);
  if (keys.length === 0) {
    throw new JemkitError('ERR_JEM_MALLCTL', `no key of jemalloc has '${pattern}' in its name`, {
      hint: didYouMean(nearestKeys(pattern ?? '')) ?? "jem ctl list shows all; a star stands for anything: '*decay*'",
    });
  }
  const rows = keys.map((key): [MallctlKey, MallctlRow] => [key, MALLCTL_KEYS[key]]);
  if (options.json) {
    terminal.print(JSON.stringify({ keys: rows.map(([key, row]) => ({ key, ...row })) }, undefined, 2));
    return;
  }
  const cells = rows.map(([key, row]) => [
    key,
    row.refused ? '-' : ACCESS[row.access],
    row.type,
    row.unit ?? '',
    row.since === '4.0.0' ? '' : row.since,
    row.refused ? `Refused: ${row.refused}.` : row.doc,
  ]);
  const table = renderTable(cells, {
    header: ['KEY', 'CTL', 'TYPE', 'UNIT', 'SINCE', 'WHAT'],
    styleHeader: (line) => terminal.style('bold', line),
    ...(options.cut ? { maxWidth: terminal.columns } : {}),
  });
  terminal.print(table);
}
