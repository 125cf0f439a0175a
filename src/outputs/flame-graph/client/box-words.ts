import { FRAME_KINDS } from '../../../model/heap-profile.js';
import type { CallTree } from '../call-tree.js';
import { sumRows } from '../call-view.js';
import { KIND_NAMES, type Metric } from '../packed-profile.js';
import { formatChange, formatMetric, formatShare, METRIC_NAMES } from '../report-words.js';
import { element } from './page-elements.js';
import type { Report, Sums } from './report.js';

const METRICS: readonly Metric[] = ['liveBytes', 'liveObjects', 'allocatedBytes', 'allocatedObjects'];
const MOST_LINES = 6;

/** What is said of one box: in one line for the status and for screen readers, and in full for the pointer. */
export interface BoxWords {
  line(tree: CallTree, sums: Sums, node: number): string;
  tip(tree: CallTree, sums: Sums, node: number): Node[];
  rest(tree: CallTree, parent: number, count: number): Node[];
}

export function openBoxWords(report: Report): BoxWords {
  const { packed } = report;
  // All metrics of a box are summed when it is pointed at; their columns once per view.
  let known: { readonly sums: Sums; readonly columns: Map<string, ReturnType<typeof sumRows>> } | undefined;
  const columnsOf = (sums: Sums, name: Metric | 'sampledObjects') => {
    if (known?.sums !== sums) known = { sums, columns: new Map() };
    let column = known.columns.get(name);
    if (!column) {
      column = sumRows(sums.view, packed.now, name, report.choices().thread);
      known.columns.set(name, column);
    }
    return column;
  };

  const lines = (tree: CallTree, sums: Sums, node: number): string | undefined => {
    const found = new Set<number>();
    for (const place of tree.places(node).slice(0, 2000)) {
      const line = packed.frames.line[sums.view.forest.frame[place] ?? 0] ?? 0;
      if (line > 0) found.add(line);
      if (found.size > MOST_LINES) break;
    }
    if (found.size === 0) return undefined;
    const shown = [...found].sort((a, b) => a - b).slice(0, MOST_LINES);
    return `at line${shown.length > 1 ? 's' : ''} ${shown.join(', ')}${found.size > MOST_LINES ? ', …' : ''}`;
  };

  const row = (name: string, value: string, note = '') =>
    element(
      'div',
      { class: 'pair' },
      element('span', {}, name),
      element('b', {}, value),
      element('span', { class: 'soft' }, note),
    );

  return {
    line(tree, sums, node) {
      const key = tree.key(node);
      const { metric } = report.choices();
      const value = formatMetric(metric, tree.value(node));
      const share = formatShare(tree.value(node), sums.widths.total[0] ?? 0);
      if (key < 0) return `Everything: ${value} ${METRIC_NAMES[metric]}`;
      const { keys } = sums.view;
      const change = sums.base ? `, ${formatChange(metric, tree.value(node, 1) - tree.value(node, 2))}` : '';
      const kind = KIND_NAMES[FRAME_KINDS[keys.kind[key] ?? 0] ?? 'unknown'];
      const name = [keys.label[key], keys.detail[key]].filter(Boolean).join(' ');
      return `${name}: ${value}, ${share} of all${change} (${kind})`;
    },
    tip(tree, sums, node) {
      const key = tree.key(node);
      const { keys } = sums.view;
      const total = sums.widths.total[0] ?? 0;
      const { metric } = report.choices();
      const parts: Node[] = [];
      parts.push(
        element('div', { class: 'name' }, element('bdi', {}, key < 0 ? 'Everything' : (keys.label[key] ?? ''))),
      );
      if (key >= 0) {
        const kind = KIND_NAMES[FRAME_KINDS[keys.kind[key] ?? 0] ?? 'unknown'];
        const where = [keys.where[key], lines(tree, sums, node)].filter(Boolean).join(', ');
        parts.push(
          element('div', { class: 'soft where' }, element('bdi', {}, where === '' ? kind : `${where} · ${kind}`)),
        );
      }
      const parent = tree.value(tree.parent(node));
      parts.push(
        row(
          METRIC_NAMES[metric],
          formatMetric(metric, tree.value(node)),
          `${formatShare(tree.value(node), total)} of all, ${formatShare(tree.value(node), parent)} of its parent`,
        ),
      );
      for (const other of METRICS)
        if (other !== metric && packed.now.columns[other])
          parts.push(row(METRIC_NAMES[other], formatMetric(other, tree.measure(node, columnsOf(sums, other)))));
      const sampled = tree.measure(node, columnsOf(sums, 'sampledObjects'));
      if (sampled > 0 && !sums.base)
        parts.push(
          row(
            'sampled',
            `${Math.round(sampled)} objects`,
            `about ±${Math.min(100, 100 / Math.sqrt(sampled)).toFixed(0)} %`,
          ),
        );
      if (sums.base) {
        const [now, base] = [tree.value(node, 1), tree.value(node, 2)];
        parts.push(row('earlier', formatMetric(metric, base)), row('now', formatMetric(metric, now)));
        parts.push(
          row(
            'change',
            formatChange(metric, now - base),
            base === 0 ? 'new' : now === 0 ? 'gone' : formatShare(now - base, base),
          ),
        );
      }
      return parts;
    },
    rest(tree, parent, count) {
      const { first, count: all } = tree.children(parent);
      let value = 0;
      for (let node = first + all - count; node < first + all; node++) value += tree.value(node);
      const { metric } = report.choices();
      return [
        element('div', { class: 'name' }, `${count} more`),
        element('div', { class: 'soft' }, 'each narrower than a pixel; zoom in to see them'),
        row(METRIC_NAMES[metric], formatMetric(metric, value)),
      ];
    },
  };
}
