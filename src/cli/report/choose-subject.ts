import { filterProfile, type ProfileFilter } from '../../analyses/profile-filter.js';
import { addProfiles, subtractProfile, withoutShrunk } from '../../analyses/profile-merge.js';
import { highWater, orderSnapshots, snapshotFigures } from '../../analyses/profile-series.js';
import { hasAllocated } from '../../analyses/profile-side.js';
import { temporaryProfile } from '../../analyses/profile-temporary.js';
import { JemkitError } from '../../errors.js';
import type { HeapProfile } from '../../model/heap-profile.js';
import { renderHighWater } from '../../outputs/profile/high-water-text.js';
import type { ReportStyle } from '../../outputs/profile/report-style.js';
import type { Snapshot } from './read-snapshots.js';
import { type ReportSubject, wholeOf } from './render-report.js';
import type { ReportOptions, ReportRequest } from './report-options.js';

/** What of each profile is looked at. */
export function filterOf(options: ReportOptions): ProfileFilter {
  const { focus, ignore, thread } = options;
  return { focus, ignore, hide: options.hide ?? options.exclude, show: options.show ?? options.retain, thread };
}

function requireAllocated(profile: HeapProfile, name: string, flag: string): void {
  if (hasAllocated(profile)) return;
  throw new JemkitError('ERR_JEM_PROFILE', `${name} does not say what was ever allocated, which ${flag} needs`, {
    hint: 'take another one with jem profile --accum -- PROGRAM; of a program that runs long: jem run --conf prof:true,prof_accum:true,prof_active:false -- PROGRAM',
  });
}

/** The temporary part: of one profile since profiling began, of several between the first and the last. */
function temporaryOf(snapshots: readonly Snapshot[], base: Snapshot | undefined): HeapProfile {
  const ordered = orderSnapshots(base ? [base, ...snapshots] : snapshots);
  for (const { profile, name } of ordered) requireAllocated(profile, name, '--temporary');
  const last = ordered.at(-1)!;
  return temporaryProfile(last.profile, ordered.length > 1 ? ordered[0]!.profile : undefined)!;
}

function titleOf({ capture }: HeapProfile, files: readonly string[]): string {
  const program = capture.program && `${capture.program}${capture.pid ? `, pid ${capture.pid}` : ''}`;
  return program ? `${program}: ${files.join(', ')}` : files.join(', ');
}

/** What a report is on: the sum of the profiles, the highest of them, a difference, or the temporary part. */
export function chooseSubject(
  snapshots: readonly Snapshot[],
  base: Snapshot | undefined,
  request: ReportRequest,
  options: ReportOptions,
  style: ReportStyle,
): ReportSubject {
  const filter = filterOf(options);
  const files = snapshots.map(({ path }) => path);
  if (options.temporary) {
    const whole = temporaryOf(snapshots, base);
    const all = base ? [base.path, ...files] : files;
    const when = all.length > 1 ? 'between the first and the last of these profiles' : 'since profiling began';
    return {
      profile: filterProfile(whole, filter),
      pair: undefined,
      ...wholeOf(whole, request),
      files: all,
      base: undefined,
      amount: 'temporary',
      title: `${titleOf(whole, all)}, temporary`,
      preface: `Temporary: allocated and freed again ${when} (allocated − live).`,
    };
  }
  if (request.question === 'highWater' && snapshots.length < 2)
    throw new JemkitError('ERR_JEM_USAGE', '--high-water finds the highest of several profiles: name two at least', {
      hint: `jem report ${files.join(' ')}`,
    });
  const highest = request.question === 'highWater' ? highWater(snapshots) : undefined;
  const chosen = highest ? [highest] : snapshots;
  if (request.side === 'allocated') {
    for (const { profile, name } of base ? [base, ...chosen] : chosen) requireAllocated(profile, name, '--alloc_space');
  }
  const after = addProfiles(chosen.map(({ profile }) => profile));
  const chosenFiles = chosen.map(({ path }) => path);
  const notes: string[] = [];
  if (highest) notes.push(renderHighWater(orderSnapshots(snapshots).map(snapshotFigures), highest.name, style));
  if (chosen.length > 1) notes.push(`${chosen.length} profiles added together; --leaks compares them.`);
  const preface = notes.length > 0 ? notes.join('\n') : undefined;
  const title = titleOf(after, chosenFiles);
  const about = { files: chosenFiles, base: base?.path, amount: request.side, title, preface };
  if (!base) {
    const whole = wholeOf(after, request);
    return { profile: filterProfile(after, filter), pair: undefined, ...whole, ...about };
  }
  const pair = { after: filterProfile(after, filter), before: filterProfile(base.profile, filter) };
  const difference = subtractProfile(pair.after, pair.before);
  const profile = options.drop_negative ? withoutShrunk(difference) : difference;
  return { profile, pair, ...wholeOf(profile, request), ...about };
}
