import { JemkitError } from '../../errors.js';
import type { AllocatorProof, DemoVariant } from '../../model/demo.js';
import { identifyAllocator } from '../../sources/process/identify-allocator.js';
import { openImageReader } from '../../sources/process/mapped-images.js';
import { openProcessView } from '../../sources/process/process-view.js';
import type { ReporterAnswer } from './reporter-messages.js';

interface Serving {
  readonly allocator: string;
  readonly version: string | undefined;
  readonly how: string;
}

const EVIDENCE_WORDS: Readonly<Record<string, string>> = {
  got: "malloc's slot in the server's memory leads to",
  maps: 'told by the files it maps:',
};

function lookFromOutside(pid: number): Serving | undefined {
  if (process.platform !== 'linux') return undefined;
  const view = openProcessView(pid);
  try {
    const identity = identifyAllocator(view, openImageReader(), 'quick');
    if (identity.kind !== 'identified') return undefined;
    const { allocator, version, evidence, file } = identity;
    return {
      allocator,
      version,
      how: `${EVIDENCE_WORDS[evidence] ?? `told by its ${evidence}`} ${file?.path ?? 'it'}`,
    };
  } finally {
    view.close();
  }
}

function askFromInside({ jemalloc, addon }: ReporterAnswer): Serving | undefined {
  if (jemalloc?.serves) {
    return {
      allocator: 'jemalloc',
      version: jemalloc.version,
      how: "a malloc made inside the server moved jemalloc's own counter",
    };
  }
  return addon === 'loaded'
    ? { allocator: 'system', version: undefined, how: 'no jemalloc answers inside the server' }
    : undefined;
}

/**
 * Which allocator serves the server, seen from outside and asked from inside.
 *
 * @throws JemkitError ERR_JEM_LIBRARY_UNUSABLE where it is not the one that this run is to measure: its figures would be a lie.
 */
export function proveAllocator(pid: number, answer: ReporterAnswer, variant: DemoVariant): AllocatorProof {
  const found = [lookFromOutside(pid), askFromInside(answer)].filter((serving) => serving !== undefined);
  const expected = variant === 'jemalloc' ? 'jemalloc' : 'system';
  const wrong = found.find(({ allocator }) => allocator !== expected);
  if (wrong) {
    throw new JemkitError(
      'ERR_JEM_LIBRARY_UNUSABLE',
      `the demo's server ${pid} was to run under ${expected === 'system' ? "the system's malloc" : expected}, and ${wrong.allocator} serves it: ${wrong.how}`,
      { hint: 'jem doctor   (looks for other places that preload a library)', details: { expected, found } },
    );
  }
  return {
    allocator: expected,
    // The shorter of the two: jemalloc's own answer carries the commit.
    version: found.find(({ version }) => version !== undefined)?.version,
    how: found.map(({ how }) => how),
  };
}
