import type { MappingMemory, OwnedMapping } from '../model/mapping-memory.js';
import type { ResidentRow, ResidentSubRow } from '../model/resident-breakdown.js';

/** The parts of a file in memory. */
function partOf({ permissions }: MappingMemory): string {
  if (permissions[2] === 'x') return 'text';
  return permissions[1] === 'w' ? 'data' : 'read-only data';
}

function rowOf(path: string, mappings: readonly MappingMemory[]): ResidentRow {
  const totals = new Map<string, number>();
  const add = (label: string, bytes: number) => totals.set(label, (totals.get(label) ?? 0) + bytes);
  for (const mapping of mappings) {
    // Pages that the process wrote to are its own copies, and come back from no file.
    const copied = Math.min(mapping.anonymousBytes, mapping.residentBytes);
    add(mapping.path === undefined ? 'uninitialised data' : 'own copies', copied);
    add(partOf(mapping), mapping.residentBytes - copied);
  }
  const parts: ResidentSubRow[] = [...totals]
    .filter(([, bytes]) => bytes > 0)
    .map(([label, bytes]) => ({ label, bytes }));
  const deleted = mappings.some((mapping) => mapping.deleted);
  return {
    part: 'file',
    label: path,
    bytes: mappings.reduce((total, { residentBytes }) => total + residentBytes, 0),
    source: 'kernel',
    ...(deleted ? { detail: 'deleted or replaced on disk' } : {}),
    parts: parts.sort((a, b) => b.bytes - a.bytes),
  };
}

/** One row for each file that is mapped, the largest first. */
export function fileRows(owned: readonly OwnedMapping[]): ResidentRow[] {
  const files = new Map<string, MappingMemory[]>();
  for (const { file, mapping } of owned) {
    if (file === undefined) continue;
    const known = files.get(file);
    if (known) known.push(mapping);
    else files.set(file, [mapping]);
  }
  return [...files].map(([path, mappings]) => rowOf(path, mappings)).sort((a, b) => b.bytes - a.bytes);
}
