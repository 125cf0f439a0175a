/** What the ring keeps of a sample, each in a column of its own. NaN is not measured. */
export const RING_COLUMNS = [
  'atMs',
  'monotonicMs',
  'residentBytes',
  'processorMs',
  'allocatedBytes',
  'activeBytes',
  'jemallocResidentBytes',
  'mappedBytes',
  'retainedBytes',
  'metadataBytes',
  'dirtyBytes',
  'muzzyBytes',
  'heapTotalBytes',
  'heapUsedBytes',
  'externalBytes',
  'arrayBuffersBytes',
] as const;

/** The name of a column. */
export type RingColumn = (typeof RING_COLUMNS)[number];

/** One row of the ring. */
export type RingRow = Readonly<Record<RingColumn, number | undefined>>;

/** The last samples, oldest first, in memory that is taken once: 128 bytes each. */
export interface SampleRing {
  readonly capacity: number;
  readonly length: number;
  push(row: RingRow): void;
  /** A copy of a column, oldest first; only rows whose `monotonicMs` is at least `fromMs`. */
  column(name: RingColumn, fromMs?: number): Float64Array;
  /** The rows as objects, oldest first. */
  rows(): RingRow[];
}

/** Opens a ring of `capacity` samples. */
export function openSampleRing(capacity: number): SampleRing {
  const columns = new Map(RING_COLUMNS.map((name) => [name, new Float64Array(capacity)]));
  let pushed = 0;
  const length = () => Math.min(pushed, capacity);
  const slot = (at: number) => (pushed <= capacity ? at : (pushed + at) % capacity);
  const read = (name: RingColumn, at: number) => columns.get(name)![slot(at)]!;
  return {
    capacity,
    get length() {
      return length();
    },
    push(row) {
      for (const name of RING_COLUMNS) columns.get(name)![pushed % capacity] = row[name] ?? Number.NaN;
      pushed++;
    },
    column(name, fromMs = Number.NEGATIVE_INFINITY) {
      let first = 0;
      while (first < length() && read('monotonicMs', first) < fromMs) first++;
      return Float64Array.from({ length: length() - first }, (_, at) => read(name, first + at));
    },
    rows: () =>
      Array.from({ length: length() }, (_, at) => {
        const row: Partial<Record<RingColumn, number>> = {};
        for (const name of RING_COLUMNS) {
          const value = read(name, at);
          if (!Number.isNaN(value)) row[name] = value;
        }
        return row as RingRow;
      }),
  };
}
