import { readFileSync } from 'node:fs';
import { filterProfile } from '../../analyses/profile-filter.js';
import { analyseProfileFragmentation, sizeClassesOf } from '../../analyses/profile-fragmentation.js';
import { analyseProfileLeaks } from '../../analyses/profile-leaks.js';
import { analyseProfileLifetimes, recentProfile } from '../../analyses/profile-lifetimes.js';
import { orderSnapshots } from '../../analyses/profile-series.js';
import { isSystemError, JemkitError } from '../../errors.js';
import type { SizeClassUse } from '../../model/heap-profile.js';
import { renderProfileFragmentation } from '../../outputs/profile/fragmentation-text.js';
import { renderProfileLeaks } from '../../outputs/profile/leaks-text.js';
import { renderProfileLifetimes } from '../../outputs/profile/lifetimes-text.js';
import type { ReportStyle } from '../../outputs/profile/report-style.js';
import { parseStatsJson } from '../../sources/agent/parse-stats-json.js';
import { readHeapProfile } from '../../sources/heap-dump/read-profile.js';
import { readRecentAllocations } from '../../sources/recent-allocations/parse-recent-allocations.js';
import { type SymbolizeOptions, symbolizeProfile } from '../../sources/symbols/symbolize-profile.js';
import { filterOf } from './choose-subject.js';
import type { Snapshot } from './read-snapshots.js';
import { toJson } from './render-report.js';
import type { ReportOptions, ReportRequest } from './report-options.js';

/** Leaks and holders whose stacks are told. */
const TOP_OF_FINDINGS = 10;

/** What grew in each of the snapshots; `found`: something did. */
export function reportLeaks(
  snapshots: readonly Snapshot[],
  request: ReportRequest,
  options: ReportOptions,
  style: ReportStyle,
) {
  if (snapshots.length < 2) {
    throw new JemkitError(
      'ERR_JEM_USAGE',
      '--leaks compares snapshots: it needs two files at least, three to be sure',
      {
        hint: 'jem report --leaks first.heap second.heap third.heap',
      },
    );
  }
  const pids = new Set(snapshots.map(({ profile }) => profile.capture.pid).filter((pid) => pid !== undefined));
  const filter = filterOf(options);
  const ordered = orderSnapshots(snapshots).map(({ name, profile }) => ({
    name,
    profile: filterProfile(profile, filter),
  }));
  const report = analyseProfileLeaks(ordered);
  const { top = TOP_OF_FINDINGS } = request;
  return {
    found: report.leaks.length > 0,
    text: request.json ? toJson(report) : renderProfileLeaks(report, top, style),
    remark: pids.size > 1 ? `these snapshots are of ${pids.size} processes: ${[...pids].join(', ')}` : undefined,
  };
}

function readSizeClasses(path: string): readonly SizeClassUse[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new JemkitError('ERR_JEM_FILE', `cannot read ${path}: ${error.message}`, {
      hint: 'name the JSON of malloc_stats_print with --stats',
      details: { path },
      cause: error,
    });
  }
  const classes = sizeClassesOf(parseStatsJson(text));
  if (classes && classes.length > 0) return classes;
  throw new JemkitError('ERR_JEM_STATS_FORMAT', `${path} has no size classes`, {
    hint: 'the text must have been made without the option b of malloc_stats_print, which leaves them out',
    details: { path },
  });
}

/** Whose objects keep mostly empty slabs. */
export function reportFragmentation(
  snapshots: readonly Snapshot[],
  request: ReportRequest,
  options: ReportOptions,
  style: ReportStyle,
) {
  const [snapshot, second] = snapshots;
  if (!snapshot || second) {
    throw new JemkitError('ERR_JEM_USAGE', '--fragmentation looks at one moment: name one profile', {
      hint: `jem report --fragmentation ${snapshots.at(-1)?.path}`,
    });
  }
  const { profile, path } = snapshot;
  const classes = options.stats === undefined ? profile.capture.sizeClasses : readSizeClasses(options.stats);
  if (!classes || classes.length === 0) {
    throw new JemkitError(
      'ERR_JEM_PROFILE',
      `${path} has no statistics of its size classes, which --fragmentation needs`,
      {
        hint: 'captures of jem profile have them; for another dump: --stats FILE, with the JSON of malloc_stats_print of the same moment',
      },
    );
  }
  const { top = TOP_OF_FINDINGS } = request;
  const most = Number.isFinite(top) ? top : 100_000;
  const report = analyseProfileFragmentation(filterProfile(profile, filterOf(options)), classes, most);
  return request.json ? toJson(report) : renderProfileFragmentation(report, most, style);
}

/** How long allocations live. Their addresses get names from a dump of the same process. */
export async function reportLifetimes(
  paths: readonly string[],
  request: ReportRequest,
  recentPath: string,
  symbols: SymbolizeOptions,
  style: ReportStyle,
): Promise<string> {
  const [path, second] = paths;
  if (path === undefined || second !== undefined) {
    throw new JemkitError('ERR_JEM_USAGE', '--recent takes names from one profile of the same process', {
      hint: `jem report --recent ${recentPath} ${paths.at(-1)}`,
    });
  }
  const recent = readRecentAllocations(recentPath);
  const profile = await symbolizeProfile(recentProfile(recent, await readHeapProfile(path)), symbols);
  const by = request.by === undefined || request.by === 'thread' ? 'function' : request.by;
  const report = analyseProfileLifetimes(recent, profile, by);
  const { top = 20 } = request;
  return request.json ? toJson(report) : renderProfileLifetimes(report, top, style);
}
