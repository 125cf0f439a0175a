// What bench.mjs times beside the whole command: a dump read, symbolized and summed by function, with nothing of the command line loaded.
import { readHeapProfile } from '../../dist/sources/heap-dump/read-profile.js';
import { symbolizeProfile } from '../../dist/sources/symbols/symbolize-profile.js';

const { samples, stacks, frames, strings } = await symbolizeProfile(await readHeapProfile(process.argv[2]));
const bytes = new Map();
for (let sample = 0; sample < samples.count; sample++) {
  const name = strings[frames.name[stacks.frames[stacks.offsets[samples.stack[sample]]]]];
  bytes.set(name, (bytes.get(name) ?? 0) + samples.liveBytes[sample]);
}
for (const [name, sum] of [...bytes].sort(([, a], [, b]) => b - a)) console.log(Math.round(sum), name);
