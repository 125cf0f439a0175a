import { JemkitError } from '../../errors.js';
import type { ProfileGrouping, ProfileMeasure, ProfileSide } from '../../model/profile-report.js';

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

/** What may stand in a file of that name, besides what the name says. */
const IN_FILES_OF: Readonly<Partial<Record<ReportFormat | 'json', readonly (ReportFormat | 'json')[]>>> = {
  json: ['json', 'text', 'tree', 'speedscope'],
  text: ['text', 'tree', 'collapsed', 'json'],
};

const usage = (message: string, hint: string) => new JemkitError('ERR_JEM_USAGE', message, { hint });

const flagOf = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function formatOf(options: ReportOptions): ReportFormat | undefined {
  const asked = REPORT_FORMATS.filter((format) => options[format]);
  const [first, second] = asked;
  if (first && second) throw usage(`${flagOf(first)} and ${flagOf(second)} exclude each other`, 'ask for one format');
  const { output } = options;
  if (output === undefined || output === '-') return first;
  const [ending = '', found] = ENDINGS.find(([one]) => output.toLowerCase().endsWith(one)) ?? [];
  if (first || options.json) {
    const asked = first ?? 'json';
    if (found !== undefined && !(IN_FILES_OF[found] ?? [found]).includes(asked))
      throw usage(
        `-o ${output}: the name says ${ending}, and ${flagOf(asked)} is something else`,
        'leave the option out, or name the file otherwise',
      );
    return first;
  }
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

/** What of the options is none for `--leaks`. */
function leavesOut(format: ReportFormat | undefined, options: ReportOptions): string {
  if (options.base !== undefined) return '--base';
  if (options.temporary) return '--temporary';
  return format !== undefined && options[format] ? flagOf(format) : `-o ${options.output}`;
}

function checkQuestion(question: ReportQuestion, format: ReportFormat | undefined, options: ReportOptions): void {
  const { base, temporary, stats } = options;
  const flag = flagOf(question);
  if (question === 'leaks' && (base !== undefined || temporary || (format && format !== 'text')))
    throw usage(
      `--leaks compares all its files, and prints text or JSON: leave ${leavesOut(format, options)} out`,
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
  const isPlain = format === undefined || format === 'text' || format === 'tree';
  const json = options.json === true || (isPlain && /\.json$/i.test(options.output ?? ''));
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
