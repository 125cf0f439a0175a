import type { AllocatorBeside, IdentifiedAllocator } from '../model/allocator-identity.js';
import type { ProcessFacts } from '../model/doctor-facts.js';
import type { Finding } from '../model/finding.js';
import { type Explanation, explainMissingJemalloc, runAgain } from './explain-missing-jemalloc.js';

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** The words for the C library's malloc: `glibc's malloc`, `musl's malloc`, `the system's malloc`. */
export function serverWords(identity: IdentifiedAllocator): string {
  if (identity.allocator === 'other') return identity.file ? baseName(identity.file.path) : 'another allocator';
  if (identity.allocator !== 'system') return identity.allocator;
  return identity.libc === undefined ? "the system's malloc" : `${identity.libc}'s malloc`;
}

function explainIdle(idle: AllocatorBeside, identity: IdentifiedAllocator, facts: ProcessFacts): Explanation {
  const server = serverWords(identity);
  if (idle.arrival === 'dlopen') {
    return {
      id: 'mapped-not-serving',
      cause: `${idle.file?.path ?? 'its library'} was loaded by the program after the start, when malloc was bound to ${server} already`,
      remedy: runAgain(facts),
    };
  }
  return {
    id: 'mapped-not-serving',
    cause: `${idle.file?.path ?? 'its library'} is mapped, but ${server} (${identity.file?.path ?? 'of the program'}) comes before it in the loader's order`,
    remedy: 'keep one allocator in LD_PRELOAD, or put jemalloc first',
  };
}

function explainSecond(identity: IdentifiedAllocator): Finding[] {
  return identity.beside
    .filter(({ standing }) => standing === 'serving-some')
    .map((other) => ({
      id: 'two-allocators',
      severity: 'warning' as const,
      title: `two allocators serve malloc: ${serverWords(identity)}, and ${other.allocator} for ${other.servedFiles.map(baseName).join(', ')}`,
      cause: `${other.file?.path ?? 'its library'} binds malloc to its own copy; a block freed by the other allocator crashes`,
      remedy: 'load one allocator only: rebuild or replace the library that brings its own',
    }));
}

/**
 * Two allocators in LD_PRELOAD: the first answers malloc, and what only the second has (mimalloc's reallocarray) is answered by it,
 * with blocks it does not know.
 */
function explainBothPreloaded(identity: IdentifiedAllocator): Finding[] {
  if (identity.arrival !== 'preload') return [];
  return (
    identity.beside
      .filter(({ arrival, standing }) => arrival === 'preload' && standing === 'not-serving')
      // A jemalloc behind another is 'mapped-not-serving' already.
      .filter(({ allocator }) => ![identity.allocator, 'system', 'jemalloc'].includes(allocator))
      .map((other) => ({
        id: 'two-preloaded',
        severity: 'problem' as const,
        title: `two allocators are preloaded: ${serverWords(identity)}, and ${other.allocator} (${other.file?.path ?? 'its library'})`,
        cause: 'a function that only one of them has is given blocks of the other, and the program aborts there',
        remedy: `keep one of them in LD_PRELOAD; jem run --allocator ${identity.allocator} -- PROGRAM takes the other out`,
      }))
  );
}

/** What is to be said about the allocator of a process: above all why it is not jemalloc, where it is not. */
export function explainAllocator(facts: ProcessFacts): Finding[] {
  const { identity } = facts;
  if (identity.kind === 'unknown') {
    return [
      {
        id: 'allocator-unknown',
        severity: 'problem',
        title: 'it cannot be told which allocator serves',
        cause: identity.reason,
        remedy: 'ask again, or as root',
      },
    ];
  }
  if (identity.kind !== 'identified') return [];
  const findings: Finding[] = [];
  const idle = identity.beside.find(
    ({ allocator, standing }) => allocator === 'jemalloc' && standing === 'not-serving',
  );
  const own = identity.beside.find(({ allocator, standing }) => allocator === 'jemalloc' && standing === 'private');
  if (identity.allocator !== 'jemalloc') {
    const title = `malloc is served by ${serverWords(identity)}, not by jemalloc`;
    if (own) {
      findings.push({
        id: 'private-jemalloc',
        severity: 'info',
        title: `${own.file ? baseName(own.file.path) : 'the program'} has a jemalloc of its own for its own code (names begin with ${own.prefix || 'nothing special'}); malloc of the libraries is ${serverWords(identity)}`,
        cause: 'it was built in, as Rust programs do',
      });
    } else if (idle) {
      findings.push({
        severity: 'problem',
        title: `jemalloc is mapped but does not serve: ${title}`,
        ...explainIdle(idle, identity, facts),
      });
    } else if (
      (identity.allocator === 'mimalloc' || identity.allocator === 'tcmalloc') &&
      identity.standing !== 'unmeasured'
    ) {
      findings.push({
        id: 'other-allocator',
        severity: 'info',
        title,
        cause: `${identity.allocator} got there by: ${identity.arrival}`,
      });
    } else {
      findings.push({ severity: 'problem', title, ...explainMissingJemalloc(facts) });
    }
  }
  if (identity.standing === 'unmeasured') {
    findings.push({
      id: 'not-measured',
      severity: 'warning',
      title: 'told from the mapped files alone: whether malloc leads there was not measured',
      cause:
        identity.memory === 'no-permission'
          ? "the kernel does not let this user read the process's memory"
          : 'no image of the process has a slot of malloc that could be followed',
      ...(identity.memory === 'no-permission' ? { remedy: `sudo jem doctor ${facts.pid}` } : {}),
    });
  }
  if (identity.file?.deleted && identity.allocator !== 'system' && identity.arrival !== 'static') {
    findings.push({
      id: 'library-replaced',
      severity: 'warning',
      title: `${identity.file.path} was deleted or replaced on disk since the process loaded it`,
      cause: 'the process goes on with the old file until it ends',
      remedy: 'restart the process to use the file that is there now',
    });
  }
  return [...findings, ...explainSecond(identity), ...explainBothPreloaded(identity)];
}
