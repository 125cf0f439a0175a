/** A process opens its socket soon after its start, if it does; a Node program may also do so whenever it likes. */
const SOONEST_MS = 1000;
const LATEST_MS = 15_000;

/** Which processes to look at for an agent: looking at all of them each time would cost more than all the rest. */
export function openFinder(now: () => number): { due(pids: readonly number[]): number[] } {
  let known = new Map<number, { readonly firstMs: number; readonly lastMs: number }>();
  return {
    due(pids) {
      const time = now();
      const due: number[] = [];
      const next: typeof known = new Map();
      for (const pid of pids) {
        const before = known.get(pid);
        // The longer it has had none, the longer it is left alone.
        const restMs = before && Math.min(LATEST_MS, Math.max(SOONEST_MS, before.lastMs - before.firstMs));
        const isDue = before === undefined || time - before.lastMs >= (restMs ?? 0);
        if (isDue) due.push(pid);
        next.set(pid, { firstMs: before?.firstMs ?? time, lastMs: isDue ? time : before.lastMs });
      }
      known = next;
      return due;
    },
  };
}
