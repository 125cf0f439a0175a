import { FRAME_KINDS } from '../../../model/heap-profile.js';
import { type Ground, kindFill } from '../box-colours.js';
import { findNeighbours, type KeyTotals, sumByKey } from '../call-totals.js';
import type { FrameKeys, Granularity } from '../frame-keys.js';
import { formatChange, formatCount, formatMetric, formatShare } from '../report-words.js';
import { byId, element, fillChoice } from './page-elements.js';
import { matchKeys, type Report, type Sums } from './report.js';

/** Rows that are made at once; a browser takes seconds for a table of 20,000. */
const STEP = 200;

const MARKER = FRAME_KINDS.indexOf('marker');

type Column = 'name' | 'flat' | 'flatChange' | 'cumulative' | 'cumulativeChange';

interface Row {
  readonly key: number;
  readonly flat: number;
  readonly cumulative: number;
  readonly flatChange: number;
  readonly cumulativeChange: number;
  readonly isNew: boolean;
  readonly isGone: boolean;
}

export interface TableActions {
  readonly ground: () => Ground;
  /** Shows only what passes through a key of the granularity, from it downward or upward. */
  readonly showInGraph: (granularity: Granularity, key: number, direction: 'callees' | 'callers') => void;
}

export interface TablePanel {
  refresh(): void;
  choose(granularity: Granularity, key: number): void;
}

const BY: ReadonlyArray<readonly [Granularity, string, string]> = [
  ['function', 'Functions', 'One row for each function'],
  ['line', 'Lines', 'One row for each line that calls'],
  ['file', 'Files', 'One row for each source file'],
  ['module', 'Modules', 'One row for each executable or library'],
  ['package', 'Packages', 'One row for each npm package'],
];

function rowsOf({ view, widths, now, base }: Sums): Row[] {
  const wide = sumByKey(view, widths);
  const current = base ? sumByKey(view, now) : wide;
  const earlier: KeyTotals | undefined = base && sumByKey(view, base);
  return Array.from({ length: view.keys.count }, (_, key): Row => {
    const [is, was] = [current.cumulative[key] ?? 0, earlier?.cumulative[key] ?? 0];
    return {
      key,
      flat: wide.flat[key] ?? 0,
      cumulative: wide.cumulative[key] ?? 0,
      flatChange: (current.flat[key] ?? 0) - (earlier?.flat[key] ?? 0),
      cumulativeChange: is - was,
      isNew: earlier !== undefined && was === 0 && is > 0,
      isGone: earlier !== undefined && is === 0 && was > 0,
    };
  }).filter(({ cumulative, cumulativeChange }) => cumulative > 0 || cumulativeChange !== 0);
}

/** The table of functions, files, modules or packages, with callers and callees of the chosen one. */
export function openTablePanel(report: Report, { ground, showInGraph }: TableActions): TablePanel {
  let granularity: Granularity = 'function';
  let sorted: Column = report.packed.base ? 'cumulativeChange' : 'flat';
  let ascending = false;
  let limit = STEP;
  let chosen: number | undefined;
  const filter = byId<HTMLInputElement>('filter');
  const showChoice = fillChoice('table-by', BY, granularity, (value) => {
    granularity = value;
    chosen = undefined;
    limit = STEP;
    showChoice(value);
    refresh();
  });
  filter.addEventListener('input', () => {
    limit = STEP;
    refresh();
  });

  const columns: ReadonlyArray<readonly [Column, string, string]> = [
    ['flat', 'Own', 'Allocated by the function itself, and by what is hidden below it'],
    ...(report.packed.base ? [['flatChange', 'Own, change', 'Against the earlier profile'] as const] : []),
    ['cumulative', 'Total', 'With all that it called'],
    ...(report.packed.base ? [['cumulativeChange', 'Total, change', 'Against the earlier profile'] as const] : []),
    ['name', BY.find(([value]) => value === granularity)?.[1] ?? '', ''],
  ];

  const compare = (keys: FrameKeys) => {
    const sign = ascending ? 1 : -1;
    return (a: Row, b: Row) => {
      if (sorted === 'name') return sign * (keys.label[a.key] ?? '').localeCompare(keys.label[b.key] ?? '');
      return sign * (a[sorted] - b[sorted]) || b.cumulative - a.cumulative || a.key - b.key;
    };
  };

  const headCell = ([column, label, title]: readonly [Column, string, string]) => {
    const isSorted = sorted === column;
    const name = column === 'name' ? (BY.find(([value]) => value === granularity)?.[1] ?? '') : label;
    const button = element(
      'button',
      { title, onClick: () => sortBy(column), attributes: { 'data-column': column } },
      name,
    );
    const attributes = { scope: 'col', 'aria-sort': isSorted ? (ascending ? 'ascending' : 'descending') : 'none' };
    return element('th', { class: column === 'name' ? 'text' : 'number', attributes }, button);
  };

  function sortBy(column: Column) {
    ascending = sorted === column ? !ascending : column === 'name';
    sorted = column;
    refresh();
    byId('rows').querySelector<HTMLElement>(`[data-column="${column}"]`)?.focus();
  }

  const nameCell = (keys: FrameKeys, key: number, action: (key: number) => void, mark = '') => {
    const dot = element('span', {
      class: keys.kind[key] === MARKER ? 'swatch hatched' : 'swatch',
      attributes: { 'aria-hidden': 'true' },
    });
    dot.style.backgroundColor = kindFill(keys.kind[key] ?? 0, 0, ground());
    const label = element('bdi', { class: 'name' }, keys.label[key] ?? '');
    const detail = element('bdi', { class: 'soft' }, keys.detail[key] ?? '');
    const title = [keys.label[key], keys.where[key]].filter(Boolean).join('\n');
    const button = element(
      'button',
      { class: 'row', title, onClick: () => action(key) },
      dot,
      mark === '' ? undefined : element('span', { class: `mark ${mark}` }, mark),
      label,
      ' ',
      detail,
    );
    return element('td', { class: 'text' }, button);
  };

  const valueCell = (value: number, total: number) => {
    if (value === 0) return element('td', { class: 'number soft' }, '0');
    const bar = element('span', { class: 'amount', attributes: { 'aria-hidden': 'true' } });
    bar.style.width = `${total > 0 ? Math.min(100, (value / total) * 100) : 0}%`;
    const text = formatMetric(report.choices().metric, value);
    return element(
      'td',
      { class: 'number' },
      text,
      element('span', { class: 'soft share' }, formatShare(value, total)),
      bar,
    );
  };

  const changeCell = (change: number) =>
    element(
      'td',
      { class: `number ${change > 0 ? 'grown' : change < 0 ? 'shrunk' : 'soft'}` },
      formatChange(report.choices().metric, change),
    );

  function choose(key: number) {
    chosen = key;
    refresh();
  }

  function refresh() {
    const sums = report.sums(granularity);
    const { keys } = sums.view;
    const total = sums.widths.total[0] ?? 0;
    const wanted = filter.value.trim() === '' ? undefined : matchKeys(sums.view, filter.value);
    const all = rowsOf(sums);
    const rows = all.filter(({ key }) => !wanted || wanted[key] === 1).sort(compare(keys));
    byId('row-count').textContent = wanted
      ? `${formatCount(rows.length)} of ${formatCount(all.length)} rows`
      : `${formatCount(all.length)} rows`;
    const body = rows.slice(0, limit).map((row) => {
      const cells = columns.map(([column]) => {
        if (column === 'name') return nameCell(keys, row.key, choose, row.isNew ? 'new' : row.isGone ? 'gone' : '');
        return column === 'flat' || column === 'cumulative' ? valueCell(row[column], total) : changeCell(row[column]);
      });
      const made = element('tr', {}, ...cells);
      if (row.key === chosen) made.setAttribute('aria-selected', 'true');
      return made;
    });
    const table = element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...columns.map(headCell))),
      element('tbody', {}, ...body),
    );
    const more =
      rows.length > limit
        ? element(
            'button',
            {
              class: 'more',
              onClick: () => {
                limit += STEP;
                refresh();
              },
            },
            `Show ${formatCount(Math.min(STEP, rows.length - limit))} more of ${formatCount(rows.length)}`,
          )
        : undefined;
    const empty =
      rows.length === 0
        ? element('p', { class: 'soft' }, wanted ? 'No row has this text.' : 'Nothing is held.')
        : undefined;
    byId('rows').replaceChildren(...[table, more, empty].filter((part) => part !== undefined));
    showChosen(sums);
  }

  function showChosen({ view, widths }: Sums) {
    const aside = byId('chosen');
    const { keys } = view;
    if (chosen === undefined || chosen >= keys.count) {
      aside.replaceChildren(element('p', { class: 'soft' }, 'Choose a row to see who calls it and what it calls.'));
      return;
    }
    const key = chosen;
    const totals = sumByKey(view, widths);
    const whole = totals.cumulative[key] ?? 0;
    const { callers, callees } = findNeighbours(view, widths, key);
    const { metric } = report.choices();
    const list = (title: string, entries: ReadonlyMap<number, number>, extra?: readonly [string, number]) => {
      const rows = [...entries].filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
      const made = rows
        .slice(0, STEP)
        .map(([other, value]) =>
          element(
            'tr',
            {},
            valueCell(value, whole),
            other < 0 ? element('td', { class: 'text soft' }, '(called by none)') : nameCell(keys, other, choose),
          ),
        );
      if (extra && extra[1] > 0)
        made.unshift(element('tr', {}, valueCell(extra[1], whole), element('td', { class: 'text soft' }, extra[0])));
      const caption = element('caption', {}, `${title} (${formatCount(rows.length)})`);
      return element('table', {}, caption, element('tbody', {}, ...made));
    };
    aside.replaceChildren(
      element('h3', {}, element('bdi', {}, keys.label[key] ?? '')),
      element('p', { class: 'soft where' }, element('bdi', {}, keys.where[key] ?? '')),
      element(
        'p',
        {},
        `own ${formatMetric(metric, totals.flat[key] ?? 0)}, total ${formatMetric(metric, whole)} (${formatShare(whole, widths.total[0] ?? 0)})`,
      ),
      element(
        'p',
        { class: 'actions' },
        element('button', { onClick: () => showInGraph(granularity, key, 'callees') }, 'Flame graph of what it calls'),
        element('button', { onClick: () => showInGraph(granularity, key, 'callers') }, 'Flame graph of its callers'),
      ),
      list('Callers', callers),
      list('Callees', callees, ['(itself)', totals.flat[key] ?? 0]),
    );
  }

  return {
    refresh,
    choose(wanted, key) {
      granularity = wanted;
      showChoice(wanted);
      filter.value = '';
      choose(key);
    },
  };
}
