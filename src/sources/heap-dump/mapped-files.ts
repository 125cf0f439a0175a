import type { ProfileModule } from '../../model/heap-profile.js';

const LINE = /^([0-9a-f]{1,16})-([0-9a-f]{1,16})\s+([r-][w-]([x-])[ps-])\s+([0-9a-f]{1,16})\s+\S+\s+\d+\s*(.*)$/;

/** Files that were mapped with code in them, of lines of `/proc/PID/maps`. */
export interface MappedFiles {
  /** False: the line is of another form. */
  line(text: string): boolean;
  setBuildIds(byPath: ReadonlyMap<string, string>): void;
  /** In the order of their addresses. */
  modules(): readonly ProfileModule[];
  /** The path of what is mapped at an address; empty: nothing with a name. */
  pathAt(address: number): string;
  /** The file whose code is at the lowest address, which is the program's own. Java maps its archive of classes below it, as data. */
  program(): string | undefined;
}

export function openMappedFiles(): MappedFiles {
  let modules: ProfileModule[] = [];
  let program: string | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  let sorted = true;
  const sort = () => {
    if (!sorted) modules.sort((one, other) => one.start - other.start);
    sorted = true;
  };
  return {
    line(text) {
      const match = LINE.exec(text);
      if (!match) return false;
      const [, start, end, , executable, offset, path = ''] = match;
      const from = Number.parseInt(start!, 16);
      const to = Number.parseInt(end!, 16);
      if (executable !== 'x' || path === '' || to > Number.MAX_SAFE_INTEGER || to <= from) return true;
      sorted &&= from >= (modules.at(-1)?.start ?? 0);
      if (path.startsWith('/') && from < lowest) {
        program = path;
        lowest = from;
      }
      modules.push({ path, start: from, end: to, fileOffset: Number.parseInt(offset!, 16), buildId: undefined });
      return true;
    },
    setBuildIds(byPath) {
      modules = modules.map((module) => ({ ...module, buildId: byPath.get(module.path) ?? module.buildId }));
    },
    modules() {
      sort();
      return modules;
    },
    pathAt(address) {
      sort();
      let [low, high] = [0, modules.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (modules[middle]!.end <= address) low = middle + 1;
        else high = middle;
      }
      const module = modules[low];
      return module !== undefined && address >= module.start ? module.path : '';
    },
    program: () => program,
  };
}
