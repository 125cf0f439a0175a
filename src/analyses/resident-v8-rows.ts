import type { MappingOwner, OwnedMapping } from '../model/mapping-memory.js';
import type { NodeFacts } from '../model/node-facts.js';
import type { ResidentRow, ResidentSubRow } from '../model/resident-breakdown.js';

/** Spaces of code lie in mappings that can be executed, all others in the heap's. */
const isCodeSpace = (name: string) => /^code_/.test(name);

function residentOf(owned: readonly OwnedMapping[], owner: MappingOwner): number {
  return owned.reduce((total, one) => total + (one.owner === owner ? one.mapping.residentBytes : 0), 0);
}

/** The physical bytes of each space, over all isolates that told theirs; the largest first. */
function spaceTotals(node: NodeFacts): ResidentSubRow[] {
  const totals = new Map<string, number>();
  for (const { spaces } of node.isolates)
    for (const { name, physicalBytes } of spaces)
      if (!isCodeSpace(name)) totals.set(name, (totals.get(name) ?? 0) + physicalBytes);
  return [...totals]
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => ({ label: name, bytes }))
    .sort((a, b) => b.bytes - a.bytes);
}

/** The rows of V8's mappings. V8 counts whole pages of its own; what its spaces leave of the mappings is shown beside them. */
export function v8Rows(owned: readonly OwnedMapping[], node: NodeFacts | undefined): ResidentRow[] {
  const heap = residentOf(owned, 'v8-heap');
  const spaces = node && heap > 0 ? spaceTotals(node) : [];
  const counted = spaces.reduce((total, { bytes }) => total + bytes, 0);
  const isolates = node?.isolates.length ?? 0;
  const heapRow: ResidentRow = {
    part: 'v8-heap',
    label: 'V8 heap',
    bytes: heap,
    source: 'kernel',
    ...(spaces.length === 0
      ? {}
      : {
          detail: `${isolates} ${isolates === 1 ? 'isolate' : 'isolates'} asked`,
          parts: [
            ...spaces,
            {
              label:
                heap < counted
                  ? 'counted by V8, and not in memory'
                  : 'in no space: shared, pooled, or of isolates not asked',
              bytes: heap - counted,
            },
          ],
        }),
  };
  return [
    heapRow,
    { part: 'v8-code' as const, label: 'V8 code', bytes: residentOf(owned, 'v8-code'), source: 'kernel' as const },
    {
      part: 'v8-other' as const,
      label: "V8's other memory",
      detail: 'WebAssembly, resizable ArrayBuffers, tables',
      bytes: residentOf(owned, 'v8-other'),
      source: 'kernel' as const,
    },
  ].filter(({ bytes }) => bytes > 0);
}
