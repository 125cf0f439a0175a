import type { DecayChange, DecayGroup } from '../model/decay-change.js';

/** Arenas by the time they had, the most arenas first; new ones in front. */
export function groupDecayTimes(
  ofNewArenasMs: number | undefined,
  ofArenasMs: ReadonlyMap<number, number>,
): DecayGroup[] {
  const groups = new Map<number, number[]>();
  for (const [index, ms] of ofArenasMs) groups.set(ms, [...(groups.get(ms) ?? []), index]);
  const ofArenas = [...groups].map(([beforeMs, arenas]) => ({ arenas, beforeMs }));
  ofArenas.sort((a, b) => b.arenas.length - a.arenas.length);
  return [...(ofNewArenasMs === undefined ? [] : [{ arenas: undefined, beforeMs: ofNewArenasMs }]), ...ofArenas];
}

/** The commands that set back what was changed: one for all where it can be, then one for each arena that differs. */
export function undoDecay(pid: number, changes: readonly DecayChange[]): string[] {
  const general: string[] = [];
  const single: string[] = [];
  for (const { pages, toMs, groups } of changes) {
    if (groups.every(({ beforeMs }) => beforeMs === toMs)) continue;
    const ofNew = groups.find(({ arenas }) => arenas === undefined);
    // With arenas that are made from now on set back by one command, every arena is; the others follow.
    if (ofNew) general.push(`--${pages}-ms ${ofNew.beforeMs}`);
    for (const { arenas, beforeMs } of groups) {
      if (!arenas || beforeMs === ofNew?.beforeMs) continue;
      for (const index of arenas) single.push(`jem ctl ${pid} set arena.${index}.${pages}_decay_ms ${beforeMs}`);
    }
  }
  return [...(general.length > 0 ? [`jem decay ${pid} ${general.join(' ')}`] : []), ...single];
}
