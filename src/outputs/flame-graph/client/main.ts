import { sumMatching } from '../call-totals.js';
import { decodePacked } from '../decode-packed.js';
import type { EncodedProfile } from '../encode-packed.js';
import type { Metric } from '../packed-profile.js';
import { formatChange, formatMetric, formatShare, METRIC_NAMES } from '../report-words.js';
import { openGraphPanel } from './graph-panel.js';
import { openLegend } from './legend.js';
import { byId, element, fillChoice, fillSelect } from './page-elements.js';
import { matchKeys, openReport, type Report, type Widths } from './report.js';
import { openTablePanel } from './table-panel.js';
import { openTheme } from './theme.js';

const TABS = ['graph', 'table', 'capture'] as const;
type Tab = (typeof TABS)[number];

const KEYS: ReadonlyArray<readonly [string, string]> = [
  ['click, Enter', 'zoom into a box'],
  ['arrow keys', 'move from box to box'],
  ['Escape, Backspace', 'back'],
  ['Home', 'show all'],
  ['/', 'search; with /…/ as a regular expression'],
  ['Ctrl + wheel', 'zoom in and out'],
  ['Shift + wheel', 'move left and right'],
  ['?', 'these keys'],
];

function readData(): EncodedProfile & { readonly metric?: Metric } {
  const script = byId('data');
  const data = JSON.parse(script.textContent ?? '') as ReturnType<typeof readData>;
  script.remove();
  return data;
}

function openTabs(shown: (tab: Tab) => void): (tab: Tab) => void {
  const buttons = TABS.map((tab) => byId<HTMLButtonElement>(`tab-${tab}`));
  const show = (wanted: Tab) => {
    for (const [at, tab] of TABS.entries()) {
      buttons[at]?.setAttribute('aria-selected', String(tab === wanted));
      if (buttons[at]) buttons[at].tabIndex = tab === wanted ? 0 : -1;
      byId(`panel-${tab}`).hidden = tab !== wanted;
    }
    shown(wanted);
  };
  for (const [at, tab] of TABS.entries()) {
    buttons[at]?.addEventListener('click', () => show(tab));
    buttons[at]?.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      const next = (at + step + TABS.length) % TABS.length;
      show(TABS[next] ?? 'graph');
      buttons[next]?.focus();
    });
  }
  return show;
}

function showTotals(report: Report) {
  const { packed } = report;
  const { thread, metric: chosen } = report.choices();
  const metrics: readonly Metric[] = ['liveBytes', 'liveObjects', 'allocatedBytes', 'allocatedObjects'];
  const sum = (rows: typeof packed.now | undefined, metric: Metric) => {
    const values = rows?.columns[metric];
    if (!rows || !values) return undefined;
    return values.reduce(
      (all, value, row) => (thread === undefined || rows.thread[row] === thread ? all + Math.max(0, value) : all),
      0,
    );
  };
  const cards = metrics.flatMap((metric) => {
    const now = sum(packed.now, metric);
    if (now === undefined) return [];
    const base = sum(packed.base, metric);
    const change = base === undefined ? undefined : formatChange(metric, now - base);
    return [
      element(
        'div',
        { class: metric === chosen ? 'card chosen' : 'card' },
        element('b', {}, formatMetric(metric, now)),
        change === undefined
          ? undefined
          : element('span', { class: change.startsWith('+') ? 'grown' : 'shrunk' }, change),
        element('span', { class: 'soft' }, METRIC_NAMES[metric]),
      ),
    ];
  });
  byId('totals').replaceChildren(...cards);
}

function start() {
  const data = readData();
  const report = openReport(decodePacked(data));
  const { packed } = report;
  byId('bar').hidden = false;
  let tab: Tab = 'graph';
  const search = byId<HTMLInputElement>('search');
  let coloursChange = packed.base !== undefined;
  const theme = openTheme(() => {
    legend();
    graph.redraw();
    if (tab === 'table') table.refresh();
  });
  const graph = openGraphPanel(report, {
    ground: theme.ground,
    coloursChange: () => coloursChange,
    showInTable: (granularity, key) => {
      table.choose(granularity, key);
      showTab('table');
    },
    keysChanged: find,
  });
  const table = openTablePanel(report, {
    ground: theme.ground,
    showInGraph: (granularity, key, direction) => {
      showTab('graph');
      graph.show(granularity, key, direction);
    },
  });
  const legend = openLegend(report, theme.ground, () => coloursChange, changed);
  const showTab = openTabs((shown) => {
    tab = shown;
    if (shown === 'table') table.refresh();
    if (shown === 'graph') graph.redraw();
    byId('legend').hidden = shown === 'capture';
  });

  function changed() {
    showTotals(report);
    legend();
    graph.refresh();
    if (tab === 'table') table.refresh();
    find();
  }

  function find() {
    const wanted = search.value;
    const found = byId('found');
    const isSearching = wanted.trim() !== '';
    graph.search(isSearching ? (sums) => matchKeys(sums.view, wanted) : undefined);
    if (!isSearching) {
      found.textContent = '';
      return;
    }
    const { view, widths } = graph.sums();
    const matched = matchKeys(view, wanted);
    const value = sumMatching(view, widths, matched);
    const total = widths.total[0] ?? 0;
    const count = matched.reduce((sum, one) => sum + one, 0);
    found.textContent =
      count === 0
        ? 'no match'
        : `${formatMetric(report.choices().metric, value)} · ${formatShare(value, total)} · ${count} match${count === 1 ? '' : 'es'}`;
  }
  search.addEventListener('input', find);
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') byId('canvas').focus();
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    search.value = '';
    find();
    byId('canvas').focus();
  });

  const metrics = (Object.keys(METRIC_NAMES) as Metric[]).filter((metric) => packed.now.columns[metric]);
  const first = data.metric && metrics.includes(data.metric) ? data.metric : 'liveBytes';
  report.choose({ metric: first });
  const select = fillSelect(
    'metric',
    metrics.map((metric) => [metric, METRIC_NAMES[metric]] as const),
    (metric) => {
      report.choose({ metric });
      changed();
    },
  );
  select.value = first;
  const threads = [...new Set([...packed.now.thread, ...(packed.base?.thread ?? [])])];
  if (threads.length > 1) {
    byId('thread-field').hidden = false;
    const options = threads
      .map((thread) => [String(thread), packed.strings[thread] || '(not told)'] as const)
      .sort((a, b) => a[1].localeCompare(b[1], 'en', { numeric: true }));
    fillSelect('thread', [['', 'all'], ...options], (thread) => {
      report.choose({ thread: thread === '' ? undefined : Number(thread) });
      changed();
    });
  }
  if (packed.base) {
    const show = fillChoice<Widths>(
      'widths',
      [
        ['now', 'Now', 'Widths show this profile; what is gone is not seen'],
        ['base', 'Earlier', 'Widths show the earlier profile; what is new is not seen'],
        ['growth', 'Growth', 'Widths show only what each stack has more than before'],
      ],
      'now',
      (widths) => {
        report.choose({ widths });
        show(widths);
        changed();
      },
    );
    const showColours = fillChoice<'change' | 'kind'>(
      'colours',
      [
        ['change', 'Change', 'Red has grown, blue has shrunk'],
        ['kind', 'Kind', 'The colours of the kinds of frames'],
      ],
      'change',
      (colours) => {
        coloursChange = colours === 'change';
        showColours(colours);
        legend();
        graph.redraw();
      },
    );
  }
  const help = byId('help');
  byId('keys').replaceChildren(
    ...KEYS.map(([key, text]) => element('div', {}, element('kbd', {}, key), element('span', {}, text))),
  );
  const toggleHelp = () => {
    byId('keys').hidden = !byId('keys').hidden;
    help.setAttribute('aria-expanded', String(!byId('keys').hidden));
  };
  help.addEventListener('click', toggleHelp);
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/') {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === '?') toggleHelp();
    else if (event.key === 'Escape') {
      if (!byId('keys').hidden) toggleHelp();
      else if (tab === 'graph') graph.back();
    }
  });
  addEventListener('beforeprint', () => {
    legend();
    table.refresh();
  });
  addEventListener('afterprint', legend);

  changed();
  showTab('graph');
}

try {
  start();
} catch (error) {
  const failure = byId('failure');
  failure.hidden = false;
  failure.textContent = `The report could not be drawn: ${error instanceof Error ? error.message : String(error)}`;
  throw error;
}
