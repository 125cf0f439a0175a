import { InvalidArgumentError } from 'commander';
import { JemkitError } from '../../errors.js';
import {
  PROFILE_GROUPINGS,
  type ProfileGrouping,
  type ProfileMeasure,
  type ProfileSide,
} from '../../model/profile-report.js';

/** What `jem report` can make. */
export const REPORT_FORMATS = ['text', 'tree', 'collapsed', 'pprof', 'speedscope', 'html', 'svg'] as const;

export type ReportFormat = (typeof REPORT_FORMATS)[number];

const QUESTIONS = ['leaks', 'fragmentation', 'highWater', 'recent'] as const;

/** The options as commander gives them; those with an underscore have jeprof's names. */
export interface ReportOptions extends Partial<Record<ReportFormat, true>> {
  readonly json?: true;
  readonly bottomUp?: true;
  readonly output?: string;
  readonly base?: string;
  readonly leaks?: true;
  readonly fragmentation?: true;
  readonly stats?: string;
  readonly highWater?: true;
  readonly temporary?: true;
  readonly recent?: string;
  readonly focus?: RegExp;
  readonly ignore?: RegExp;
  readonly hide?: RegExp;
  readonly show?: RegExp;
  readonly exclude?: RegExp;
  readonly retain?: RegExp;
  readonly thread?: string;
  readonly by?: ProfileGrouping;
  readonly functions?: true;
  readonly files?: true;
  readonly lines?: true;
  readonly sort?: 'flat' | 'cum';
  readonly cum?: true;
  readonly top?: number;
  readonly nodecount?: number;
  readonly nodefraction?: number;
  readonly inuse_space?: true;
  readonly inuse_objects?: true;
  readonly alloc_space?: true;
  readonly alloc_objects?: true;
  readonly show_bytes?: true;
  readonly drop_negative?: true;
  readonly root?: string;
  readonly sourceMaps: boolean;
}

/** What jeprof makes and `jem report` does not, and what to type instead. */
export const OTHER_FORMATS: Readonly<Record<string, string>> = {
  addresses: '--lines is the finest there is',
  callgrind: '--pprof, --speedscope',
  disasm: '--focus RE --lines',
  dot: '--svg, --html',
  evince: '--html -o FILE.html',
  gif: '--svg',
  gv: '--html -o FILE.html',
  interactive: 'the summary without an option, or --html -o FILE.html',
  list: '--focus RE --lines',
  pdf: '--svg, --html',
  ps: '--svg, --html',
  raw: '--pprof -o FILE.pb.gz, which has the symbols in it',
  symbols: '--text',
  web: '--html -o FILE.html',
};

/** Those of them that have a value. */
export const OTHER_FORMATS_WITH_VALUE = ['list', 'disasm'];

const ENDINGS: ReadonlyArray<readonly [ending: string, format: ReportFormat | 'json']> = [
  ['.html', 'html'],
  ['.htm', 'html'],
  ['.svg', 'svg'],
  ['.pb.gz', 'pprof'],
  ['.pprof', 'pprof'],
  ['.pb', 'pprof'],
  ['.speedscope.json', 'speedscope'],
  ['.json', 'json'],
  ['.collapsed', 'collapsed'],
  ['.folded', 'collapsed'],
  ['.txt', 'text'],
];

/** A regular expression as pprof takes it: with `(?i)` in front for any case. */
export function parsePattern(text: string): RegExp {
  const [, flags = '', rest = ''] = /^(?:\(\?([is]+)\))?([\s\S]*)$/.exec(text) ?? [];
  try {
    return new RegExp(rest, [...new Set(flags)].join(''));
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}

/** jeprof's `--nodecount=-1` and ours of 0 are all of them. */
export function parseNodeCount(text: string): number {
  return text === '-1' ? 0 : parseCount(text);
}

export function parseFraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected a number from 0 to 1.');
  return value;
}

const usage = (message: string, hint: string) => new JemkitError('ERR_JEM_USAGE', message, { hint });

const flagOf = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function formatOf(options: ReportOptions): ReportFormat | undefined {
  const asked = REPORT_FORMATS.filter((format) => options[format]);
  const [first, second] = asked;
  if (first && second) throw usage(`${flagOf(first)} and ${flagOf(second)} exclude each other`, 'ask for one format');
  if (first || options.json || options.output === undefined) return first;
  const { output } = options;
  const [, found] = ENDINGS.find(([ending]) => output.toLowerCase().endsWith(ending)) ?? [];
  if (found === undefined) {
    throw usage(
      `-o ${output}: the name does not say in which format`,
      'name.html, .svg, .pb.gz, .speedscope.json, .json, .collapsed or .txt; or an option: --text, --tree, …',
    );
  }
  return found === 'json' ? undefined : found;
}

function sideOf(options: ReportOptions): readonly [ProfileSide, ProfileMeasure] {
  const sides = {
    inuse_space: ['live', 'bytes'],
    inuse_objects: ['live', 'objects'],
    alloc_space: ['allocated', 'bytes'],
    alloc_objects: ['allocated', 'objects'],
  } as const;
  const asked = (Object.keys(sides) as (keyof typeof sides)[]).filter((name) => options[name]);
  const [first, second] = asked;
  if (second) throw usage(`--${first} and --${second} exclude each other`, 'ask for one of them');
  return first ? sides[first] : ['live', 'bytes'];
}

function groupingOf(options: ReportOptions): ProfileGrouping | undefined {
  if (options.by) return options.by;
  if (options.lines) return 'line';
  if (options.files) return 'file';
  return options.functions ? 'function' : undefined;
}

export type ReportQuestion = (typeof QUESTIONS)[number] | 'profile';

/** What was asked for, without contradictions. */
export interface ReportRequest {
  readonly question: ReportQuestion;
  /** Undefined: the summary. */
  readonly format: ReportFormat | undefined;
  readonly json: boolean;
  readonly side: ProfileSide;
  readonly measure: ProfileMeasure;
  readonly by: ProfileGrouping | undefined;
  readonly sort: 'flat' | 'cumulative';
  /** Rows; undefined: as many as the format usually has. */
  readonly top: number | undefined;
}

function checkQuestion(question: ReportQuestion, format: ReportFormat | undefined, options: ReportOptions): void {
  const { base, temporary, stats } = options;
  const flag = flagOf(question);
  if (question === 'leaks' && (base !== undefined || temporary || format))
    throw usage(
      `--leaks compares all its files, and prints text or JSON: leave ${base !== undefined ? '--base' : temporary ? '--temporary' : flagOf(format!)} out`,
      'a flame graph of what grew: jem report --base FIRST LAST --html -o grown.html',
    );
  if (
    (question === 'fragmentation' || question === 'recent') &&
    (base !== undefined || temporary || (format && format !== 'text'))
  )
    throw usage(`${flag} prints text or JSON of one moment, without a base`, `jem report ${flag} FILE`);
  if (question === 'highWater' && base !== undefined)
    throw usage('--high-water finds one of its files; --base compares two', 'ask one after the other');
  if (stats !== undefined && question !== 'fragmentation')
    throw usage('--stats is for --fragmentation', 'jem report --fragmentation --stats STATS FILE');
  if (options.bottomUp && format !== 'tree')
    throw usage('--bottom-up is for --tree', 'jem report --tree --bottom-up FILE');
}

/** Makes sense of the options. @throws JemkitError ERR_JEM_USAGE where they contradict each other. */
export function readReportRequest(options: ReportOptions): ReportRequest {
  for (const [name, instead] of Object.entries(OTHER_FORMATS)) {
    if ((options as unknown as Record<string, unknown>)[name] !== undefined)
      throw usage(`--${name} is jeprof's: jem report does not make it`, `instead: ${instead}`);
  }
  const asked = QUESTIONS.filter((name) => options[name]);
  const [question = 'profile', second] = asked;
  if (second) throw usage(`${flagOf(question)} and ${flagOf(second)} exclude each other`, 'ask one after the other');
  const format = formatOf(options);
  const json = options.json === true || (format === undefined && /\.json$/i.test(options.output ?? ''));
  if (json && format && format !== 'text' && format !== 'tree')
    throw usage(
      `--json and ${flagOf(format)} exclude each other`,
      '--json prints the table of --text or the tree of --tree as data',
    );
  checkQuestion(question, format, options);
  const [side, measure] = sideOf(options);
  const top = options.top ?? options.nodecount;
  return {
    question,
    format,
    json,
    side,
    measure,
    by: groupingOf(options),
    sort: options.cum || options.sort === 'cum' ? 'cumulative' : 'flat',
    top: top === 0 ? Number.POSITIVE_INFINITY : top,
  };
}

export function parseGrouping(text: string): ProfileGrouping {
  const found = PROFILE_GROUPINGS.find((name) => name === text || `${name}s` === text);
  if (!found) throw new InvalidArgumentError(`expected one of: ${PROFILE_GROUPINGS.join(', ')}.`);
  return found;
}
