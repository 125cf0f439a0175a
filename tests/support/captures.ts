import { execFileSync } from 'node:child_process';

/** A capture file, split at its sections and no more: the product's own reader is in src/sources/heap-dump. */
export interface RawCapture {
  /** Bytes and frames, innermost first. */
  readonly stacks: readonly { readonly bytes: number; readonly frames: readonly bigint[] }[];
  readonly mappings: readonly string[];
  readonly head: ReadonlyMap<string, string>;
  readonly buildIds: ReadonlyMap<string, string>;
  /** By its address; the fields of its line behind that. */
  readonly frames: ReadonlyMap<bigint, readonly string[]>;
  readonly statistics: { readonly jemalloc: Readonly<Record<string, unknown>> };
}

function section(text: string, name: string, end: string): string {
  const from = text.indexOf(`\n${name}`);
  const to = text.indexOf(`\n${end}`, from + 1);
  if (from === -1 || to === -1) throw new Error(`no ${name} before ${end}`);
  return text.slice(text.indexOf('\n', from + 1) + 1, Math.max(to, text.indexOf('\n', from + 1) + 1));
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');
const pairs = (text: string) => new Map(lines(text).map((line) => line.split('\t', 2) as [string, string]));

/** Stacks of a dump or a capture. */
export function dumpStacks(text: string): RawCapture['stacks'] {
  const body = text.split('\nMAPPED_LIBRARIES:')[0]!;
  return [...body.matchAll(/^@ (.*)\n\s+t\*: \d+: (\d+) /gm)].map(([, frames, bytes]) => ({
    bytes: Number(bytes),
    frames: frames!.trim().split(' ').map(BigInt),
  }));
}

/** Throws where a section is missing. */
export function splitCapture(text: string): RawCapture {
  if (!text.endsWith('\nJEMKIT_END\n')) throw new Error(`not a whole capture: …${text.slice(-60)}`);
  return {
    stacks: dumpStacks(text),
    mappings: lines(section(text, 'MAPPED_LIBRARIES:', 'JEMKIT_CAPTURE 1')),
    head: pairs(section(text, 'JEMKIT_CAPTURE 1', 'JEMKIT_BUILD_IDS')),
    buildIds: new Map(
      lines(section(text, 'JEMKIT_BUILD_IDS', 'JEMKIT_FRAMES')).map(
        (line) => line.split('\t', 2).reverse() as [string, string],
      ),
    ),
    frames: new Map(
      lines(section(text, 'JEMKIT_FRAMES', 'JEMKIT_STATISTICS')).map((line) => {
        const [address, ...rest] = line.split('\t');
        return [BigInt(`0x${address}`), rest];
      }),
    ),
    statistics: JSON.parse(section(text, 'JEMKIT_STATISTICS', 'JEMKIT_END')),
  };
}

/** Gives the name of the function that a return address is in; of a program that is not position-independent. */
export function functionsOf(program: string): (address: bigint) => string | undefined {
  const functions = execFileSync('nm', ['-S', '--defined-only', program], { encoding: 'utf8', maxBuffer: 1 << 28 })
    .split('\n')
    .map((line) => line.match(/^([0-9a-f]+) ([0-9a-f]+) [tTwW] (.+)$/))
    .flatMap((match) =>
      match ? [{ start: BigInt(`0x${match[1]}`), size: BigInt(`0x${match[2]}`), name: match[3]! }] : [],
    );
  return (address) => functions.find(({ start, size }) => address - 1n >= start && address - 1n < start + size)?.name;
}
