import { analyseProfileDifference } from '../../analyses/profile-difference.js';
import { sideOf, sumOf } from '../../analyses/profile-side.js';
import { analyseProfileTable } from '../../analyses/profile-table.js';
import type { HeapProfile } from '../../model/heap-profile.js';
import type { ProfileAttribution, ProfileTable } from '../../model/profile-report.js';
import { renderCollapsed, renderCollapsedPair } from '../../outputs/profile/collapsed.js';
import { renderProfileDifference } from '../../outputs/profile/difference-text.js';
import type { ReportStyle } from '../../outputs/profile/report-style.js';
import {
  captureLines,
  noteLines,
  renderProfileSummary,
  type SummaryOptions,
} from '../../outputs/profile/summary-text.js';
import { renderProfileTable, type TableTextOptions } from '../../outputs/profile/table-text.js';
import { printable } from '../../outputs/text/table.js';
import type { ReportOptions, ReportRequest } from './report-options.js';

/** What is reported on. */
export interface ReportSubject {
  /** What is asked about: filtered, and the difference where there is a base. */
  readonly profile: HeapProfile;
  /** With a base: both sides of the difference, filtered. */
  readonly pair: { readonly after: HeapProfile; readonly before: HeapProfile } | undefined;
  /** 100 %: before any filter. */
  readonly wholeBytes: number;
  readonly wholeObjects: number;
  readonly files: readonly string[];
  readonly base: string | undefined;
  readonly amount: SummaryOptions['amount'];
  readonly title: string;
  /** Stands above texts: what was chosen, and why. */
  readonly preface: string | undefined;
}

/** What widths show. */
const METRICS = {
  live: { bytes: 'liveBytes', objects: 'liveObjects' },
  allocated: { bytes: 'allocatedBytes', objects: 'allocatedObjects' },
} as const;

const TOP_OF_SUMMARY = 20;
const LEAST_OF_SUMMARY = 0.01;
const LEAST_SHARE = 0.005;

function tableOf(
  { profile, pair }: ReportSubject,
  request: ReportRequest,
  attribution: ProfileAttribution,
): ProfileTable {
  const { by = 'function', side, sort, measure } = request;
  const table = analyseProfileTable(profile, { by, side, attribution, sort, measure });
  // What did not change is in a difference too, with 0.
  return pair
    ? { ...table, rows: table.rows.filter((row) => row.flatBytes !== 0 || row.cumulativeBytes !== 0) }
    : table;
}

async function treeOf({ profile }: ReportSubject, { side, by, measure }: ReportRequest, options: ReportOptions) {
  const { analyseProfileTree } = await import('../../analyses/profile-tree.js');
  return analyseProfileTree(profile, {
    direction: options.bottomUp ? 'up' : 'down',
    side,
    by: by === 'line' ? 'line' : 'function',
    measure,
    leastShare: options.nodefraction ?? LEAST_SHARE,
  });
}

function captureJson({ profile, pair, files }: ReportSubject, request: ReportRequest) {
  const { capture } = profile;
  return {
    files,
    side: request.side,
    capture: { ...capture, takenAt: capture.takenAtMs && new Date(capture.takenAtMs).toISOString() },
    ...(pair ? { base: pair.before.capture } : {}),
  };
}

/** JSON has no NaN; what is not known is left out. */
export const toJson = (document: unknown) =>
  JSON.stringify(document, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? undefined : value), 2);

async function renderJson(subject: ReportSubject, request: ReportRequest, options: ReportOptions): Promise<string> {
  const { pair } = subject;
  const { by = 'function', side, top } = request;
  const head = captureJson(subject, request);
  if (request.format === 'tree') {
    return toJson({ ...head, tree: await treeOf(subject, request, options) });
  }
  if (pair && request.format === undefined) {
    const difference = analyseProfileDifference(pair.after, pair.before, { by, side, attribution: 'owner' });
    return toJson({ ...head, difference: { ...difference, rows: difference.rows.slice(0, top) } });
  }
  const table = tableOf(subject, request, request.format === 'text' ? 'leaf' : 'owner');
  const { wholeBytes, wholeObjects } = subject;
  return toJson({ ...head, wholeBytes, wholeObjects, ...table, rows: table.rows.slice(0, top) });
}

function renderSummary(
  subject: ReportSubject,
  request: ReportRequest,
  table: TableTextOptions,
  nowMs: number,
  style: ReportStyle,
): string {
  const { profile, pair, files } = subject;
  const { by = 'function', side, measure } = request;
  if (pair) {
    const difference = analyseProfileDifference(pair.after, pair.before, { by, side, attribution: 'owner' });
    const base = `${'base:'.padEnd(11)}${printable(subject.base ?? '-')}`;
    const head = [...captureLines(pair.after, files, nowMs), base, ...noteLines(pair.after, style)];
    return [...head, renderProfileDifference(difference, table.top ?? TOP_OF_SUMMARY, style)].join('\n');
  }
  const whole = tableOf(subject, request, 'owner');
  // Whoever holds nothing itself is of interest only where what it calls counts.
  const holders =
    request.sort === 'cumulative' ? whole : { ...whole, rows: whole.rows.filter((row) => row.flatBytes !== 0) };
  // Who asks for a number of rows, or another order, wants what is there.
  const leastShare = request.top === undefined && request.sort === 'flat' ? LEAST_OF_SUMMARY : undefined;
  const packages =
    by === 'package' ? undefined : analyseProfileTable(profile, { by: 'package', side, attribution: 'owner', measure });
  return renderProfileSummary(
    profile,
    holders,
    packages,
    { ...table, top: table.top ?? TOP_OF_SUMMARY, leastShare, files, nowMs, amount: subject.amount },
    style,
  );
}

/** Makes the report: text without a line feed at its end, or bytes. Only what the chosen format needs is loaded. */
export async function renderReport(
  subject: ReportSubject,
  request: ReportRequest,
  options: ReportOptions,
  nowMs: number,
  style: ReportStyle,
): Promise<string | Uint8Array> {
  const { profile, pair, title } = subject;
  const { side, measure, by } = request;
  const lines = by === 'line';
  const table: TableTextOptions = {
    wholeBytes: subject.wholeBytes,
    wholeObjects: subject.wholeObjects,
    measure,
    plainBytes: options.show_bytes === true,
    top: request.top,
  };
  const withPreface = (text: string) => (subject.preface === undefined ? text : `${subject.preface}\n\n${text}`);
  if (request.json) return renderJson(subject, request, options);
  const drawn = pair ? pair.after : profile;
  const drawing = { title, metric: METRICS[side][measure], base: pair?.before };
  switch (request.format) {
    case 'text':
      return withPreface(renderProfileTable(tableOf(subject, request, 'leaf'), table, style));
    case 'tree': {
      const { renderProfileTree } = await import('../../outputs/profile/tree-text.js');
      const leastShare = options.nodefraction ?? LEAST_SHARE;
      return withPreface(renderProfileTree(await treeOf(subject, request, options), { ...table, leastShare }, style));
    }
    case 'collapsed':
      return pair
        ? renderCollapsedPair(pair.after, pair.before, { side, measure, lines })
        : renderCollapsed(profile, { side, measure, lines });
    case 'speedscope': {
      const { renderSpeedscope } = await import('../../outputs/profile/speedscope.js');
      return renderSpeedscope(profile, { name: title, side, measure });
    }
    case 'pprof': {
      const { encodePprof } = await import('../../outputs/pprof/encode-pprof.js');
      const { gzipSync } = await import('node:zlib');
      return gzipSync(encodePprof(profile));
    }
    case 'html': {
      const { renderFlameGraphHtml } = await import('../../outputs/flame-graph/flame-graph-html.js');
      return renderFlameGraphHtml(drawn, drawing);
    }
    case 'svg': {
      const { renderFlameGraphSvg } = await import('../../outputs/flame-graph/flame-graph-svg.js');
      return renderFlameGraphSvg(drawn, drawing);
    }
    case undefined:
      return withPreface(renderSummary(subject, request, table, nowMs, style));
  }
}

/** What is 100 %: of a difference all that changed, in either direction. */
export function wholeOf(profile: HeapProfile, request: ReportRequest): { wholeBytes: number; wholeObjects: number } {
  const { bytes, objects } = sideOf(profile, request.side);
  return { wholeBytes: sumOf(bytes.map(Math.abs)), wholeObjects: sumOf(objects.map(Math.abs)) };
}
