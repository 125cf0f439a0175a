import type { MemorySample } from '../model/memory-sample.js';
import type { SizeClassWaste, StatsRemark } from '../model/stats-report.js';

/** What a remark is made from. */
export interface RemarkMaterial {
  readonly pid: number;
  readonly sample: MemorySample;
  readonly waste: SizeClassWaste | undefined;
  /** Background threads run, so that unused pages go back even while the program is idle. */
  readonly backgroundThread: boolean | undefined;
  /** Bytes for people. */
  readonly bytes: (bytes: number) => string;
}

/** Less than this is not worth a person's time, whatever share it is. */
const LEAST_BYTES = 16 * 2 ** 20;

interface Candidate extends StatsRemark {
  readonly aboutBytes: number;
  /** Of RSS, from where on it is said. */
  readonly share: number;
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

function candidates({ pid, sample, waste, backgroundThread, bytes }: RemarkMaterial): Candidate[] {
  const { jemalloc, v8 } = sample;
  const resident = sample.process.residentBytes;
  const found: Candidate[] = [];
  if (jemalloc === undefined || resident === undefined) return found;
  const { allocatedBytes, activeBytes, dirtyBytes, muzzyBytes, metadataBytes, residentBytes } = jemalloc;
  if (dirtyBytes !== undefined) {
    const unused = dirtyBytes + (muzzyBytes ?? 0);
    const why =
      backgroundThread === false
        ? ', and without background threads nothing gives them back while the program is idle'
        : '';
    found.push({
      id: 'undecayed',
      aboutBytes: unused,
      share: 0.15,
      text: `${bytes(unused)} are unused pages that jemalloc has not given back yet (dirty and muzzy)${why}.`,
      next: `jem purge ${pid}`,
    });
  }
  if (allocatedBytes !== undefined && activeBytes !== undefined) {
    const pinned = activeBytes - allocatedBytes;
    const worst = waste?.classes[0];
    const where =
      worst && worst.wasteBytes > 0
        ? `; ${bytes(worst.wasteBytes)} of it between blocks of ${bytes(worst.sizeBytes)}`
        : '';
    found.push({
      id: 'fragmentation',
      aboutBytes: pinned,
      share: 0.15,
      text: `${bytes(pinned)} (${percent(pinned / Math.max(1, activeBytes))} of the pages in use) hold nothing: fragmentation${where}.`,
      next: `jem stats ${pid} --bins`,
    });
  }
  if (metadataBytes !== undefined) {
    found.push({
      id: 'metadata',
      aboutBytes: metadataBytes,
      share: 0.25,
      text: `jemalloc's own books take ${bytes(metadataBytes)}; each arena has its own.`,
      next: `jem stats ${pid} --arenas`,
    });
  }
  if (v8 !== undefined) {
    found.push({
      id: 'v8',
      aboutBytes: v8.heapTotalBytes,
      share: 0.5,
      text: `V8's heap takes ${bytes(v8.heapTotalBytes)}, which no allocator setting changes.`,
      next: `jem explain ${pid}`,
    });
  }
  if (residentBytes !== undefined) {
    const rest = resident - residentBytes - (v8?.heapTotalBytes ?? 0);
    found.push({
      id: 'elsewhere',
      aboutBytes: rest,
      share: 0.6,
      text: `${bytes(rest)} of RSS are not jemalloc's: the program's files, stacks, other heaps.`,
      next: `jem explain ${pid}`,
    });
  }
  return found.filter(({ aboutBytes, share }) => aboutBytes >= LEAST_BYTES && aboutBytes >= share * resident);
}

/** What stands out, the largest of it, and the next command; undefined where jemalloc could not be asked. */
export function remarkOn(material: RemarkMaterial): StatsRemark | undefined {
  if (material.sample.jemalloc === undefined) return undefined;
  const [first] = candidates(material).sort((a, b) => b.aboutBytes - a.aboutBytes);
  if (first === undefined) {
    return {
      id: 'nothing',
      text: 'Nothing stands out: little is unused, and little is lost to fragmentation.',
      next: `jem explain ${material.pid}`,
    };
  }
  const { id, text, next } = first;
  return { id, text, next };
}
