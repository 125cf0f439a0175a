import { basename } from 'node:path';
import type { MappingMemory } from '../../model/mapping-memory.js';
import { parseElf } from '../elf/elf-image.js';
import { findHashedSymbol } from '../elf/hashed-symbols.js';
import type { ProcessView } from './process-view.js';

/** `v8::Isolate::GetCurrent()`, which every release exports that lets add-ons in. */
const SYMBOL = '_ZN2v87Isolate10GetCurrentEv';
const PROGRAMS = /^(node|nodejs|node\d+|electron|chrome|chromium|deno)$/;
const LIBRARIES = /^lib(node|v8)\b/;

/** Whether V8 is in a process: the executable exports its functions, or is known by name; or a library of that name is mapped. */
export function holdsV8(view: ProcessView, mappings: readonly MappingMemory[]): boolean {
  const { path } = view.executable();
  if (PROGRAMS.test(basename(path))) return true;
  if (mappings.some((mapping) => LIBRARIES.test(basename(mapping.path ?? '')))) return true;
  const first = mappings.find((mapping) => mapping.path === path);
  const file = first && view.file(first, true);
  if (!file) return false;
  return file.use((source) => {
    const reading = parseElf(source);
    try {
      return reading.kind === 'elf' && findHashedSymbol(source, reading.image, SYMBOL)?.defined === true;
    } catch (error) {
      // Offsets of a damaged file lead anywhere.
      if (error instanceof RangeError) return false;
      throw error;
    }
  });
}
