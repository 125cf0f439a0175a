import { memoryOf, TOP_SORTS, type TopProcess, type TopSort } from '../../model/top-process.js';
import { formatBytes } from './bytes.js';
import { renderSparkline } from './sparkline.js';
import { formatBytesRate, formatCount, formatShare } from './stats-page.js';
import { cutText, printable, textWidth } from './table.js';

/** What a screen of `jem top` shows. */
export interface TopScreen {
  /** Sorted. */
  readonly processes: readonly TopProcess[];
  readonly sort: TopSort;
  readonly reversed: boolean;
  /** Lines scrolled down. */
  readonly scroll: number;
  readonly help: boolean;
  readonly paused: boolean;
  readonly intervalMs: number;
  /** The time of day of the look, for people. */
  readonly time: string;
  readonly columns: number;
  readonly lines: number;
  readonly unicode: boolean;
}

/** Colours, where the terminal has them. */
export type TopPaint = (style: 'bold' | 'dim' | 'yellow' | 'inverse', text: string) => string;

interface Column {
  readonly heading: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  readonly sort?: TopSort;
  /** The columns of the highest number go first where the terminal is narrow; 0 stays. */
  readonly leaves: number;
  readonly cell: (process: TopProcess, unicode: boolean) => string;
}

const HISTORY = 12;

const bytes = (
  heading: string,
  leaves: number,
  name: 'allocatedBytes' | 'activeBytes' | 'residentBytes' | 'dirtyBytes',
  sort?: TopSort,
): Column => ({
  heading,
  width: 8,
  align: 'right',
  leaves,
  ...(sort ? { sort } : {}),
  cell: ({ answer }) => formatBytes(answer.kind === 'sample' ? answer.sample.jemalloc?.[name] : undefined),
});

const COLUMNS: readonly Column[] = [
  { heading: 'PID', width: 7, align: 'right', leaves: 0, sort: 'pid', cell: ({ pid }) => String(pid) },
  { heading: 'USER', width: 8, align: 'left', leaves: 5, cell: ({ user }) => cutText(printable(user ?? '-'), 8) },
  {
    heading: 'RSS',
    width: 8,
    align: 'right',
    leaves: 0,
    sort: 'rss',
    cell: (process) => formatBytes(memoryOf(process)?.residentBytes),
  },
  bytes('ALLOC', 0, 'allocatedBytes', 'allocated'),
  bytes('ACTIVE', 7, 'activeBytes'),
  bytes('RESIDENT', 8, 'residentBytes'),
  bytes('DIRTY', 4, 'dirtyBytes', 'dirty'),
  {
    heading: 'FRAG',
    width: 6,
    align: 'right',
    leaves: 1,
    sort: 'fragmentation',
    cell: ({ fragmentation }) => formatShare(fragmentation),
  },
  {
    heading: 'GROWTH',
    width: 11,
    align: 'right',
    leaves: 2,
    sort: 'growth',
    cell: ({ rates }) => formatBytesRate(rates?.residentBytesPerSecond),
  },
  {
    heading: 'REQUESTS/S',
    width: 10,
    align: 'right',
    leaves: 6,
    sort: 'requests',
    cell: ({ rates }) => formatCount(rates?.requestsPerSecond),
  },
  {
    heading: 'CPU %',
    width: 5,
    align: 'right',
    leaves: 9,
    sort: 'cpu',
    cell: ({ rates }) => (rates?.processors === undefined ? '-' : (rates.processors * 100).toFixed(0)),
  },
  {
    heading: 'RSS HISTORY',
    width: HISTORY,
    align: 'left',
    leaves: 3,
    cell: ({ residentHistory }, unicode) => renderSparkline(residentHistory, HISTORY, unicode),
  },
];

const LEAST_NAME = 12;
const GAP = 2;

/** The columns for which there is room beside the name. */
function columnsFor(width: number): readonly Column[] {
  let chosen = [...COLUMNS];
  const used = () => chosen.reduce((total, column) => total + column.width + GAP, LEAST_NAME);
  while (used() > width) {
    const last = chosen.reduce((worst, column) => (column.leaves > worst.leaves ? column : worst));
    if (last.leaves === 0) break;
    chosen = chosen.filter((column) => column !== last);
  }
  return chosen;
}

function pad(text: string, { width, align }: Pick<Column, 'width' | 'align'>): string {
  const padding = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'right' ? padding + text : text + padding;
}

/** What is to be said of a process besides figures; empty where it answered and has jemalloc. */
function noteOf({ answer }: TopProcess): string {
  switch (answer.kind) {
    case 'sample':
      return answer.sample.jemalloc ? '' : ' (no jemalloc)';
    case 'silent':
      if (answer.stopped) return ' (stopped)';
      return answer.forMs < 1000 ? ' (no answer yet)' : ` (no answer for ${Math.floor(answer.forMs / 1000)} s)`;
    case 'failed':
      return ` (${answer.detail})`;
  }
}

function rowOf(one: TopProcess, columns: readonly Column[], unicode: boolean): string {
  const cells = columns.map((column) => pad(column.cell(one, unicode), column));
  return [...cells, printable(one.name + noteOf(one))].join(' '.repeat(GAP)).trimEnd();
}

function headingOf(columns: readonly Column[], { sort, reversed }: Pick<TopScreen, 'sort' | 'reversed'>): string {
  const mark = reversed ? '+' : '*';
  const marked = (heading: string, by: TopSort | undefined) => (by === sort ? mark + heading : heading);
  const cells = columns.map((column) => pad(marked(column.heading, column.sort).slice(0, column.width), column));
  return [...cells, marked('COMMAND', 'name')].join(' '.repeat(GAP));
}

function totalsOf(processes: readonly TopProcess[]): string {
  let [resident, allocated, unanswered] = [0, 0, 0];
  for (const one of processes) {
    resident += memoryOf(one)?.residentBytes ?? 0;
    if (one.answer.kind === 'sample') allocated += one.answer.sample.jemalloc?.allocatedBytes ?? 0;
    else unanswered++;
  }
  const parts = [
    `${processes.length} process${processes.length === 1 ? '' : 'es'}`,
    `RSS ${formatBytes(resident)}`,
    `allocated ${formatBytes(allocated)}`,
    ...(unanswered > 0 ? [`${unanswered} without an answer`] : []),
  ];
  return parts.join(', ');
}

const SORT_KEYS = Object.entries(TOP_SORTS).map(([sort, key]) => `${key} ${sort}`);

const HELP = [
  'Keys that sort (* marks the column, + the other way round: press the key again):',
  `  ${SORT_KEYS.slice(0, 5).join('   ')}`,
  `  ${SORT_KEYS.slice(5).join('   ')}`,
  'Others:',
  '  up, down (k, j), PgUp, PgDn, Home, End   scroll',
  '  + -      look less, or more often',
  '  Space    hold still; again: go on',
  '  Ctrl-L   look now',
  '  Ctrl-Z   to the shell, fg comes back',
  '  h, ?     this page; any key leaves it',
  '  q        quit (Ctrl-C too)',
  'Columns:',
  '  ALLOC      what the program holds',
  '  ACTIVE     the pages it lies in; FRAG the share of them that holds nothing',
  '  DIRTY      unused pages that jemalloc has not given back yet',
  '  RESIDENT   all that jemalloc has in RAM, at most',
  '  GROWTH     of RSS',
  "  REQUESTS/S calls of malloc in the last 10 s, as threads' caches report them",
  'A dash: not measured.',
];

/** Lines of the screen beside those of processes: title, heading, footer. */
const FRAME = 3;

/** How far down one can scroll so that the screen stays full. */
export function furthestScroll({ processes, lines }: Pick<TopScreen, 'processes' | 'lines'>): number {
  return Math.max(0, processes.length - pageOf({ lines }));
}

/** How many processes there is room for. */
export function pageOf({ lines }: Pick<TopScreen, 'lines'>): number {
  return Math.max(1, lines - FRAME);
}

/** The lines of the screen, no more and none longer than the terminal has. */
export function renderTopScreen(screen: TopScreen, paint: TopPaint): string[] {
  const { processes, columns: width, lines, unicode } = screen;
  const cut = (text: string) => cutText(text, width);
  const seconds = screen.intervalMs / 1000;
  const state = screen.paused ? 'held still' : `every ${seconds} s`;
  const title = paint('bold', cut(`jem top  ${screen.time}  ${totalsOf(processes)}  (${state})`));
  if (screen.help) return [title, ...HELP.map(cut)].slice(0, lines);
  const columns = columnsFor(width);
  const scroll = Math.min(screen.scroll, furthestScroll(screen));
  const page = pageOf(screen);
  const rows = processes.slice(scroll, scroll + page).map((one) => {
    const row = cut(rowOf(one, columns, unicode));
    if (one.answer.kind !== 'sample') return paint('yellow', row);
    return one.answer.sample.jemalloc ? row : paint('dim', row);
  });
  if (processes.length === 0) rows.push(cut('No process with an agent. Start one: jem run --agent -- PROGRAM'));
  const below = processes.length - scroll - rows.length;
  const more = [scroll > 0 ? `${scroll} above` : '', below > 0 ? `${below} below` : ''].filter(Boolean).join(', ');
  const keys = 'q quit  h help  r rss  a allocated  f fragmentation  g growth';
  const body = [title, paint('inverse', pad(cut(headingOf(columns, screen)), { width, align: 'left' })), ...rows];
  while (body.length < lines - 1) body.push('');
  return [...body.slice(0, Math.max(1, lines - 1)), paint('dim', cut(more ? `${more}  ${keys}` : keys))].slice(
    0,
    lines,
  );
}

/** The table of `jem top --batch`: all columns, nothing cut unless there is a width. */
export function renderTopTable(
  processes: readonly TopProcess[],
  style: { readonly width: number | undefined; readonly unicode: boolean; readonly time: string },
  paint: TopPaint,
): string {
  const columns = style.width === undefined ? COLUMNS : columnsFor(style.width);
  const cut = (text: string) => (style.width === undefined ? text : cutText(text, style.width));
  const heading = [...columns.map((column) => pad(column.heading, column)), 'COMMAND'].join(' '.repeat(GAP));
  return [
    cut(`${style.time}  ${totalsOf(processes)}`),
    paint('bold', cut(heading)),
    ...processes.map((process) => cut(rowOf(process, columns, style.unicode))),
  ].join('\n');
}
