import type { AllocatorStats, MutexStats } from '../model/allocator-stats.js';
import type { MutexContention } from '../model/stats-report.js';

function contentionOf(scope: MutexContention['scope'], mutex: MutexStats): MutexContention {
  const { waits, operations } = mutex;
  const waitShare =
    waits === undefined || operations === undefined || operations === 0 ? undefined : waits / operations;
  return { ...mutex, scope, waitShare };
}

/** Every lock that was ever taken, the one that threads waited for the longest first. */
export function analyseMutexContention(stats: Pick<AllocatorStats, 'mutexes' | 'merged'>): MutexContention[] {
  const bins = (stats.merged?.bins ?? []).map(({ mutex }) => mutex).filter((mutex) => mutex !== undefined);
  const rank = (pick: (mutex: MutexContention) => number | undefined) => (a: MutexContention, b: MutexContention) =>
    (pick(b) ?? -1) - (pick(a) ?? -1);
  const orders = [
    rank(({ totalWaitNs }) => totalWaitNs),
    rank(({ waits }) => waits),
    rank(({ spinAcquisitions }) => spinAcquisitions),
    rank(({ operations }) => operations),
  ];
  return [
    ...stats.mutexes.map((mutex) => contentionOf('global', mutex)),
    ...(stats.merged?.mutexes ?? []).map((mutex) => contentionOf('arena', mutex)),
    ...bins.map((mutex) => contentionOf('bin', mutex)),
  ]
    .filter(({ operations }) => operations === undefined || operations > 0)
    .sort((a, b) => orders.reduce((order, compare) => order || compare(a, b), 0));
}
