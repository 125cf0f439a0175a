import type { Reclaimed, ReclaimFigures, ReclaimVerdict } from '../../model/reclaim.js';
import { formatBytes } from './bytes.js';
import { renderTable } from './table.js';

const ROWS = [
  ['residentBytes', 'RSS (kernel)'],
  ['dirtyBytes', 'dirty (unused, resident)'],
  ['muzzyBytes', 'muzzy (unused, the kernel may take it)'],
  ['activeBytes', 'active (pages in use)'],
  ['allocatedBytes', 'allocated (held by the program)'],
] as const satisfies ReadonlyArray<readonly [keyof ReclaimFigures, string]>;

/** All digits, and beside them a form for people. */
const exact = (bytes: number | undefined) => (bytes === undefined ? '-' : bytes.toLocaleString('en-US'));

function signed(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  return `${bytes > 0 ? '+' : ''}${formatBytes(bytes)}`;
}

/** The figures before, or before and after. */
export function renderReclaimTable(before: ReclaimFigures, after: ReclaimFigures | undefined): string {
  const rows = ROWS.map(([field, label]) => {
    const [was, is] = [before[field], after?.[field]];
    const change = was === undefined || is === undefined ? undefined : is - was;
    return after ? [label, exact(was), exact(is), signed(change)] : [label, exact(was), formatBytes(was)];
  });
  return renderTable(rows, {
    header: after ? ['bytes', 'before', 'after', 'change'] : ['bytes', 'now', ''],
    align: ['left', 'right', 'right', 'right'],
  });
}

function inUseWords({ activeBytes, allocatedBytes }: ReclaimFigures): string {
  if (activeBytes === undefined || allocatedBytes === undefined) return '';
  const gaps = formatBytes(activeBytes - allocatedBytes);
  return ` What is left is in use: ${formatBytes(allocatedBytes)} held by the program, and ${gaps} in the gaps between, which only the program can free.`;
}

/** What came back, and where nothing did, why. */
export function describeReclaim({ before, after, arena }: Reclaimed, verdict: ReclaimVerdict): string {
  const where = arena === undefined ? 'jemalloc' : `arena ${arena}`;
  const { returnedBytes, releasedBytes } = verdict;
  switch (verdict.kind) {
    case 'returned':
      return `${formatBytes(returnedBytes)} of RSS came back.`;
    case 'nothing-unused': {
      const unused = unusedBytes(before);
      const what = unused === 0 ? 'no unused pages' : `no more than ${formatBytes(unused)} unused`;
      return `${unused === 0 ? 'Nothing' : 'Next to nothing'} came back: ${where} kept ${what}.${inUseWords(before)}`;
    }
    case 'not-due':
      return `${releasedBytes !== undefined && releasedBytes > 0 ? `No more than ${formatBytes(releasedBytes)}` : 'Nothing'} came back: ${formatBytes(unusedBytes(after))} are unused, and not past their decay time. jem purge gives them back now.`;
    case 'became-muzzy':
      return 'RSS did not fall: dirty pages became muzzy, which the kernel takes when it needs memory, and counts as RSS until then. jem purge gives them back now.';
    case 'refilled':
      return `RSS did not fall: ${where} gave ${formatBytes(releasedBytes)} back, and the process took as much meanwhile.`;
    case 'still-there':
      return `Nothing came back: ${formatBytes(unusedBytes(after))} are unused again already; the program frees memory faster than it is given back.`;
    case 'unknown':
      return 'What came back could not be measured.';
  }
}

const unusedBytes = ({ dirtyBytes, muzzyBytes }: ReclaimFigures) => (dirtyBytes ?? 0) + (muzzyBytes ?? 0);
