import type { MappingInput, StringTable } from 'pprof-format';
import type { Frame, ProfileModule } from '../../model/heap-profile.js';

/** pprof's mappings: one for each module, and one without addresses for each that only frames name. Ids count from 1; 0 is none. */
export function openPprofMappings(modules: readonly ProfileModule[]): {
  /** Of a location with these frames, the outermost last. */
  idOf(frames: readonly Frame[]): number;
  encode(strings: StringTable): MappingInput[];
} {
  const byPath = new Map<string, number[]>();
  const extra: string[] = [];
  /** What of a mapping's locations is known: it tells pprof what not to look for. */
  const functions = new Set<number>();
  const filenames = new Set<number>();
  const lineNumbers = new Set<number>();
  const inlineFrames = new Set<number>();
  modules.forEach(({ path }, at) => {
    byPath.set(path, [...(byPath.get(path) ?? []), at + 1]);
  });

  const find = (path: string, address: number): number => {
    if (path === '') return 0;
    const ids = byPath.get(path);
    if (ids === undefined) {
      extra.push(path);
      const id = modules.length + extra.length;
      byPath.set(path, [id]);
      return id;
    }
    const inside = ids.find((id) => {
      const module = modules[id - 1];
      return module !== undefined && address >= module.start && address < module.end;
    });
    return inside ?? ids[0]!;
  };

  return {
    idOf(frames) {
      const { module, address } = frames.at(-1)!;
      const id = find(module, address);
      if (frames.some(({ name }) => name !== '')) functions.add(id);
      if (frames.some(({ file }) => file !== '')) filenames.add(id);
      if (frames.some(({ line }) => line > 0)) lineNumbers.add(id);
      if (frames.length > 1) inlineFrames.add(id);
      return id;
    },
    encode(strings) {
      const rows: MappingInput[] = modules.map(({ path, start, end, fileOffset, buildId }, at) => ({
        id: at + 1,
        memoryStart: start,
        memoryLimit: end,
        fileOffset,
        filename: strings.dedup(path),
        buildId: strings.dedup(buildId ?? ''),
      }));
      for (const path of extra) rows.push({ id: rows.length + 1, filename: strings.dedup(path) });
      return rows.map((row) => {
        const id = Number(row.id);
        return {
          ...row,
          hasFunctions: functions.has(id),
          hasFilenames: filenames.has(id),
          hasLineNumbers: lineNumbers.has(id),
          hasInlineFrames: inlineFrames.has(id),
        };
      });
    },
  };
}
