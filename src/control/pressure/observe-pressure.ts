import type { PressureObservation } from '../../model/memory-pressure.js';
import { openHeadroomReader } from '../../sources/cgroup/headroom.js';
import { readMallctlNumber, refreshMallctl } from '../../sources/mallctl/read-mallctl.js';

/** jemalloc's dirty and muzzy bytes; undefined without jemalloc. */
function readUndecayedBytes(): number | undefined {
  if (refreshMallctl().kind !== 'done') return undefined;
  const [page, dirty, muzzy] = (['arenas.page', 'stats.arenas.4096.pdirty', 'stats.arenas.4096.pmuzzy'] as const).map(
    (name) => {
      const read = readMallctlNumber(name);
      return read.kind === 'value' ? read.value : undefined;
    },
  );
  return page === undefined || dirty === undefined ? undefined : (dirty + (muzzy ?? 0)) * page;
}

function readV8Bytes(): number | undefined {
  try {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  } catch {
    return undefined;
  }
}

/** What a ladder in this process looks at: 200 to 500 µs a look, by the depth of the control groups. */
export function observePressure(limitBytes: number | undefined): () => PressureObservation {
  const reader = openHeadroomReader('self', { limitBytes });
  return () => {
    const monotonicMs = performance.now();
    const headroom = reader.headroom();
    // Without a limit there is no pressure, and nothing else needs asking.
    if (!headroom)
      return {
        monotonicMs,
        headroom,
        stall: undefined,
        stallOf: undefined,
        undecayedBytes: undefined,
        v8Bytes: undefined,
      };
    const waited = reader.stall();
    return {
      monotonicMs,
      headroom,
      stall: waited?.stall,
      stallOf: waited?.of,
      undecayedBytes: readUndecayedBytes(),
      v8Bytes: readV8Bytes(),
    };
  };
}
