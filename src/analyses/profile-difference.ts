import type { HeapProfile } from '../model/heap-profile.js';
import type {
  ProfileAttribution,
  ProfileChange,
  ProfileDifference,
  ProfileGrouping,
  ProfileRow,
  ProfileSide,
} from '../model/profile-report.js';
import { sideOf, sumOf } from './profile-side.js';
import { profileRows } from './profile-table.js';

export interface ProfileDifferenceOptions {
  readonly by: ProfileGrouping;
  readonly side?: ProfileSide;
  readonly attribution?: ProfileAttribution;
}

function changeOf(before: ProfileRow | undefined, after: ProfileRow | undefined): ProfileChange {
  const difference = (after?.flatBytes ?? 0) - (before?.flatBytes ?? 0);
  if (difference === 0) return 'same';
  if (!before || before.flatBytes === 0) return 'new';
  if (!after || after.flatBytes === 0) return 'gone';
  return difference > 0 ? 'grown' : 'shrunk';
}

function errorOfChange(before: ProfileRow | undefined, after: ProfileRow | undefined): number | undefined {
  const errors = [before, after].map((row) => (row ? row.flatErrorBytes : 0));
  return errors.includes(undefined) ? undefined : Math.hypot(...(errors as number[]));
}

/** What each function (file, package, …) itself holds more or less than before. They are matched by name, never by address. */
export function analyseProfileDifference(
  profile: HeapProfile,
  base: HeapProfile,
  { by, side = 'live', attribution = 'leaf' }: ProfileDifferenceOptions,
): ProfileDifference {
  const rowsOf = (one: HeapProfile) => {
    const { rows, keys } = profileRows(one, by, side, attribution);
    return new Map(rows.map((row, at) => [keys[at]!, row]));
  };
  const before = rowsOf(base);
  const after = rowsOf(profile);
  const keys = [...new Set([...after.keys(), ...before.keys()])];
  const rows = keys.map((key) => {
    const [old, now] = [before.get(key), after.get(key)];
    const { name, place, kind } = (now ?? old)!;
    return {
      name,
      place,
      kind,
      change: changeOf(old, now),
      beforeBytes: old?.flatBytes ?? 0,
      afterBytes: now?.flatBytes ?? 0,
      changeBytes: (now?.flatBytes ?? 0) - (old?.flatBytes ?? 0),
      changeObjects: (now?.flatObjects ?? 0) - (old?.flatObjects ?? 0),
      errorBytes: errorOfChange(old, now),
    };
  });
  return {
    by,
    attribution,
    rows: rows
      .filter(({ change }) => change !== 'same')
      .sort((a, b) => Math.abs(b.changeBytes) - Math.abs(a.changeBytes) || (a.name < b.name ? -1 : 1)),
    beforeBytes: sumOf(sideOf(base, side).bytes),
    afterBytes: sumOf(sideOf(profile, side).bytes),
  };
}
