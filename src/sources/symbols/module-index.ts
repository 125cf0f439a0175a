import type { ProfileModule } from '../../model/heap-profile.js';

/** Finds what is mapped at an address. */
export function openModuleIndex(modules: readonly ProfileModule[]): (address: number) => ProfileModule | undefined {
  const sorted = modules.toSorted((one, other) => one.start - other.start);
  return (address) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    const module = sorted[low - 1];
    return module !== undefined && address < module.end ? module : undefined;
  };
}

/** Whether code in it may have symbols in a file: not what is anonymous, nor a device or shared memory. */
export function isFileModule({ path }: Pick<ProfileModule, 'path'>): boolean {
  return path.startsWith('/') && !/^\/\/|^\/dev\/|^\/memfd:|^\/SYSV/.test(path);
}
