import { frameAt, type HeapProfile, stackFrames } from '../../src/model/heap-profile.js';

/** Live bytes by function: those it holds itself, and with all that it called. */
export interface FunctionSums {
  readonly flat: ReadonlyMap<string, number>;
  readonly cumulative: ReadonlyMap<string, number>;
}

/** Adds up a profile as jeprof's `--text` does: a function counts once in each stack. */
export function sumByFunction(profile: HeapProfile): FunctionSums {
  const flat = new Map<string, number>();
  const cumulative = new Map<string, number>();
  const add = (to: Map<string, number>, name: string, bytes: number) => to.set(name, (to.get(name) ?? 0) + bytes);
  for (let sample = 0; sample < profile.samples.count; sample++) {
    const bytes = profile.samples.liveBytes[sample]!;
    const names = Array.from(
      stackFrames(profile, profile.samples.stack[sample]!),
      (frame) => frameAt(profile, frame).name,
    );
    if (names[0] !== undefined) add(flat, names[0], bytes);
    for (const name of new Set(names)) add(cumulative, name, bytes);
  }
  return { flat, cumulative };
}

/** Parses `jeprof --text --show_bytes`. */
export function parseJeprofText(text: string): FunctionSums {
  const flat = new Map<string, number>();
  const cumulative = new Map<string, number>();
  for (const [, own = '', all = '', name = ''] of text.matchAll(/^\s*(\d+)\s+\S+\s+\S+\s+(\d+)\s+\S+ (.*)$/gm)) {
    const bare = name.replace(/@.*/, '');
    flat.set(bare, Number(own));
    cumulative.set(bare, Number(all));
  }
  return { flat, cumulative };
}
