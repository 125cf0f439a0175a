import type { DemoComparison, DemoReport, DemoRun, DemoSummary } from '../../model/demo.js';
import { formatBytes } from './bytes.js';
import { renderLineChart } from './line-chart.js';
import { quoteForShell } from './shell-quote.js';
import { renderTable } from './table.js';

/** How the page is laid out. */
export interface DemoReportStyle {
  readonly width: number;
  /** The terminal shows more than ASCII. */
  readonly unicode: boolean;
  /** Colours a curve's text; undefined where there are no colours. */
  readonly paint?: ((series: number, text: string) => string) | undefined;
  readonly heading?: ((text: string) => string) | undefined;
}

const CHART_ROWS = 14;
const MEBIBYTE = 2 ** 20;

const number = (value: number | undefined, digits: number, unit: string) =>
  value === undefined ? '-' : `${value.toFixed(digits)} ${unit}`;

const mebibytes = (bytes: number | undefined) =>
  formatBytes(bytes === undefined ? undefined : Math.round(bytes / MEBIBYTE) * MEBIBYTE, 'MiB').replace(/\.0+ /, ' ');

/** A number stays with its unit. */
const UNIT_SPACE = /(?<=\d) (?=(?:%|s|MiB|GiB)(?!\w))/g;

/** Breaks a text at its spaces; `indent` stands before every line but the first. */
function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.replace(UNIT_SPACE, '\u00a0').split(' ')) {
    if (line !== '' && line.length + 1 + word.length > Math.max(20, width)) {
      lines.push(line);
      line = indent + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n').replaceAll('\u00a0', ' ');
}

function renderFigures(report: DemoReport, style: DemoReportStyle): string {
  const { summaries } = report.comparison;
  const { idleSeconds } = report.parameters;
  const rows: ReadonlyArray<readonly [string, (summary: DemoSummary) => string]> = [
    ['RSS: peak', (s) => mebibytes(s.peakBytes)],
    ['RSS: at the end of the load', (s) => mebibytes(s.afterLoadBytes)],
    [`RSS: after ${idleSeconds} s idle`, (s) => mebibytes(s.afterIdleBytes)],
    ['RSS: after a garbage collection', (s) => mebibytes(s.settledBytes)],
    ["  of it V8's heap and Buffers", (s) => mebibytes(s.knownBytes)],
    ['  of it the rest: node, allocator', (s) => mebibytes(s.restBytes)],
    ['Requests per second', (s) => number(s.requestsPerSecond, 0, '/s')],
    ['CPU time under load', (s) => number(s.processorSeconds, 1, 's')],
    ['Latency: median', (s) => number(s.medianLatencyMs, 0, 'ms')],
    ['Latency: 99th percentile', (s) => number(s.p99LatencyMs, 0, 'ms')],
  ];
  return renderTable(
    rows.map(([name, cell]) => [name, ...summaries.map(cell)]),
    {
      header: ['', ...summaries.map(({ label }) => label)],
      align: ['left', ...summaries.map(() => 'right' as const)],
      maxWidth: style.width,
      ...(style.heading ? { styleHeader: style.heading } : {}),
    },
  );
}

const MARKS: Readonly<Record<DemoRun['variant'], string>> = { system: 's', jemalloc: 'j', 'tuned-glibc': 't' };

/** RSS over time, every run shifted so that its load ends at 0: the runs need not take the same time for the same requests. */
export function renderDemoChart(report: DemoReport, style: DemoReportStyle): string {
  const { runs } = report;
  const series = runs.map((run) => ({
    label: run.label,
    mark: run.variant === 'system' ? run.label.slice(0, 1) : MARKS[run.variant],
    points: run.samples.map(
      ({ elapsedMs, residentBytes }) => [(elapsedMs - run.loadEndMs) / 1000, residentBytes / MEBIBYTE] as const,
    ),
  }));
  const collectedAt = Math.max(0, ...runs.map((run) => (run.idleEndMs - run.loadEndMs) / 1000));
  return renderLineChart(series, {
    width: Math.min(style.width, 100),
    height: CHART_ROWS,
    xUnit: 's',
    yUnit: 'MiB',
    verticals: [
      { x: 0, label: 'load ends' },
      { x: collectedAt, label: 'garbage collection' },
    ],
    drawing: !style.unicode ? 'ascii' : style.paint ? 'braille' : 'marks',
    ...(style.paint ? { paint: style.paint } : {}),
  });
}

function describeRun(run: DemoRun, { machine }: DemoReport): string {
  const settings = Object.entries(run.environment).map(([name, value]) => `${name}=${quoteForShell(value)}`);
  const { allocator, version, how } = run.proof;
  const serving =
    allocator === 'system' ? `${machine.libc ?? 'the C library'}'s own malloc` : `${allocator} ${version ?? ''}`.trim();
  const proof =
    how.length > 0 ? `${serving} serves: ${how.join('; ')}` : `that ${serving} serves was not proved on this system`;
  return `${run.label}: ${settings.length > 0 ? settings.join(' ') : 'nothing set'}. ${proof}.`;
}

function renderMethod(report: DemoReport, style: DemoReportStyle): string {
  const { machine, parameters, runs } = report;
  const requests = runs[0]?.requests ?? 0;
  const until =
    parameters.requests === undefined
      ? `as many as the first run answered in ${parameters.loadSeconds} s`
      : 'a fixed number';
  const source =
    runs[0]?.residentSource === 'server'
      ? "the server's own answer"
      : '/proc/PID/statm ten times a second, the peak from VmHWM';
  const lines = [
    `Each server answered the same ${requests} requests (${until}) over ${parameters.concurrency} connections that are kept alive, then ` +
      `nothing for ${parameters.idleSeconds} s, then collected its garbage (--expose-gc), so that live data is the same in all. One run of each, one after the other; ` +
      `this process made the load on the same processors.`,
    `RSS: ${source}. CPU: of the server's process under load.`,
    ...runs.map((run) => describeRun(run, report)),
    `Command: ${report.commandLine.map(quoteForShell).join(' ')}`,
    `Machine: ${machine.processors} × ${machine.processorModel ?? machine.architecture}, ${formatBytes(machine.memoryBytes)}, ${machine.platform} ${machine.kernel}, ` +
      `${machine.libc ?? 'C library unknown'}, node ${machine.nodeVersion}, jemkit ${machine.jemkitVersion}, ${report.startedAt}.`,
    ...report.notes.map((note) => `Note: ${note}.`),
  ];
  return lines.map((line) => wrap(toCharset(line, style), style.width, '  ')).join('\n');
}

const toCharset = (text: string, style: DemoReportStyle) =>
  style.unicode ? text : text.replaceAll('×', 'x').replaceAll('’', "'");

function renderSentences(comparison: DemoComparison, style: DemoReportStyle): string {
  return comparison.sentences.map((sentence) => wrap(sentence, style.width, '  ')).join('\n');
}

/** The whole page: figures, chart, what they say, and how they were got. */
export function renderDemoReport(report: DemoReport, style: DemoReportStyle): string {
  const heading = style.heading ?? ((text: string) => text);
  return [
    renderFigures(report, style),
    `${heading(toCharset('RSS over time', style))}\n${renderDemoChart(report, style)}`,
    `${heading('What this run shows')}\n${renderSentences(report.comparison, style)}`,
    `${heading('How it was measured')}\n${renderMethod(report, style)}`,
  ].join('\n\n');
}
