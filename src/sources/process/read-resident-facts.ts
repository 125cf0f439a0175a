import { readFileSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { Architecture } from '../../model/allocator.js';
import type { AllocatorIdentity } from '../../model/allocator-identity.js';
import type { MappingMemory } from '../../model/mapping-memory.js';
import type { ResidentReading } from '../../model/resident-breakdown.js';
import { readResidentBytes } from '../procfs/resident-memory.js';
import { readSmaps } from '../procfs/smaps.js';
import { readThreadStacks } from '../procfs/thread-stacks.js';
import { holdsV8 } from './holds-v8.js';
import { identifyAllocator } from './identify-allocator.js';
import { readLargeBlocks } from './large-blocks.js';
import { type ImageReader, mappedImages } from './mapped-images.js';
import { openProcessView, type ProcessView } from './process-view.js';

/** A program that grows under our eyes is looked at again, for a moment in which it moves less. */
const ATTEMPTS = 3;
const QUIET_SHARE = 0.002;

function readQuietly(pid: number): { before: number; after: number; mappings: MappingMemory[] } | undefined {
  let best: { before: number; after: number; mappings: MappingMemory[] } | undefined;
  const drift = ({ before, after }: { before: number; after: number }) => Math.abs(after - before);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = readResidentBytes(pid);
    const mappings = readSmaps(pid);
    const after = readResidentBytes(pid);
    if (before === undefined || after === undefined) return undefined;
    const now = { before, after, mappings };
    if (!best || drift(now) < drift(best)) best = now;
    if (drift(best) <= after * QUIET_SHARE) break;
  }
  return best;
}

function isStrictOvercommit(): boolean {
  try {
    return readFileSync('/proc/sys/vm/overcommit_memory', 'latin1').trim() === '2';
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** glibc maps large blocks for itself only where it serves malloc. */
function mayHoldLargeBlocks(identity: AllocatorIdentity): boolean {
  return identity.kind === 'identified' && identity.allocator === 'system' && identity.libc !== 'musl';
}

function readOpened(view: ProcessView, reader: ImageReader, atMs: number): ResidentReading {
  const allocator = identifyAllocator(view, reader, 'quick');
  if (allocator.kind === 'gone' || allocator.kind === 'no-permission') return { kind: allocator.kind };
  if (allocator.kind === 'zombie' || allocator.kind === 'kernel-thread')
    return { kind: 'no-memory', reason: allocator.kind };
  const read = readQuietly(view.pid);
  if (!read) return { kind: 'gone' };
  const { mappings } = read;
  const candidates = mappings.filter(
    ({ path, permissions, residentBytes }) => path === undefined && permissions === 'rw-p' && residentBytes > 0,
  );
  return {
    kind: 'read',
    facts: {
      pid: view.pid,
      atMs,
      residentBeforeBytes: read.before,
      residentAfterBytes: read.after,
      mappings,
      threads: readThreadStacks(view.pid),
      allocator,
      holdsV8: holdsV8(view, mappings),
      architecture: mappedImages(view, reader).executable?.facts?.architecture as Architecture | undefined,
      strictOvercommit: isStrictOvercommit(),
      largeBlocks: mayHoldLargeBlocks(allocator) ? readLargeBlocks(view, candidates) : new Set(),
    },
  };
}

/** Reads from outside what says where the resident memory of a process is. The process does not notice. */
export function readResidentFacts(pid: number, reader: ImageReader, nowMs: () => number = Date.now): ResidentReading {
  const view = openProcessView(pid);
  try {
    return readOpened(view, reader, nowMs());
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return { kind: 'gone' };
    if (error.code === 'EACCES' || error.code === 'EPERM') return { kind: 'no-permission' };
    throw error;
  } finally {
    view.close();
  }
}
