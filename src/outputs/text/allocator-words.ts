import type { AllocatorBeside, AllocatorIdentity, IdentifiedAllocator } from '../../model/allocator-identity.js';

const LIBC_WORDS: Readonly<Record<string, string>> = { glibc: 'glibc', musl: 'musl' };

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** `jemalloc`, `system`, or the file's name of an allocator without a name. */
export function allocatorName(allocator: Pick<AllocatorBeside, 'allocator' | 'file'>): string {
  return allocator.allocator === 'other' && allocator.file ? baseName(allocator.file.path) : allocator.allocator;
}

/** The cells of `jem ps` for an identity: allocator, how it got there, version, evidence. */
export function allocatorCells(
  identity: AllocatorIdentity,
): readonly [allocator: string, how: string, version: string, evidence: string] {
  switch (identity.kind) {
    case 'identified': {
      const also = identity.beside.filter(({ standing }) => standing === 'private' || standing === 'serving-some');
      const names = [allocatorName(identity), ...also.map(allocatorName)].join(' + ');
      const how = [howWords(identity), ...also.map(howWords)].join(' + ');
      const versions = [versionWords(identity), ...also.map((a) => a.version ?? '-')];
      return [names, how, versions.join(' + '), evidenceWords(identity)];
    }
    case 'no-permission':
      return ['no permission', '-', '-', '-'];
    case 'unknown':
      return ['unknown', '-', '-', '-'];
    default:
      return [identity.kind, '-', '-', '-'];
  }
}

function howWords(allocator: Pick<AllocatorBeside, 'arrival' | 'prefix'>): string {
  return allocator.prefix === '' ? allocator.arrival : `${allocator.arrival} (${allocator.prefix})`;
}

function versionWords(identity: IdentifiedAllocator): string {
  const version = identity.version ?? '-';
  if (identity.allocator !== 'system') return identity.file?.deleted ? `${version} (deleted)` : version;
  return `${LIBC_WORDS[identity.libc ?? ''] ?? ''} ${identity.version ?? ''}`.trim() || '-';
}

function evidenceWords(identity: IdentifiedAllocator): string {
  if (identity.standing !== 'unmeasured') return identity.evidence;
  return identity.memory === 'no-permission'
    ? `${identity.evidence} (memory not readable)`
    : `${identity.evidence} (not measured)`;
}
