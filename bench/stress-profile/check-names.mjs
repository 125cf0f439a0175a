import holders from './program/holders.cjs';

const { SIZES } = holders;

/** Functions of the program whose names say which blocks they hold: `exactSort_s98304`. */
const NAMED = /^(?:.*[. ])?(\w+_s(\d+))$/;

/** Smaller ones are V8's own around the block. */
const SMALLEST_BLOCK_BYTES = 32 * 1024;

/** Blocks that others hold: of their size, or several sizes taken together. V8 takes whole pages, too, wherever it is. */
const isOthers = (bytes, objects, sizes) =>
  sizes.some((size) => Math.abs(bytes - size) < 0.5) ||
  (objects > 1.5 && Math.abs(bytes - Math.round(bytes / 4096) * 4096) > 0.5);

/** Stacks with blocks of known size: who holds them, and how many. */
function readHolders({ samples, stacks, frames, strings }) {
  const holders = Array.from({ length: frames.count }, (_, frame) => NAMED.exec(strings[frames.name[frame]]));
  const marks = new Set(['(asynchronous)', '(thread pool)']);
  const rows = [];
  for (let at = 0; at < samples.count; at++) {
    const bytes = samples.liveBytes[at] / samples.liveObjects[at];
    if (!(samples.liveObjects[at] > 0) || bytes < SMALLEST_BLOCK_BYTES) continue;
    const names = [];
    const all = [];
    const stack = samples.stack[at];
    for (const frame of stacks.frames.subarray(stacks.offsets[stack], stacks.offsets[stack + 1])) {
      const name = strings[frames.name[frame]];
      all.push(name);
      if (marks.has(name)) break;
      const holder = holders[frame];
      if (holder) names.push({ name: holder[1], size: Number(holder[2]) });
    }
    rows.push({ bytes, objects: samples.liveObjects[at], names, all });
  }
  return rows;
}

/** Sentences on what a profile has wrong. `holding`: what the program holds at this moment, where that is known. */
export function findMisnamed(profile, holding) {
  const rows = readHolders(profile);
  const wrong = [];
  for (const { bytes, objects, names, all } of rows) {
    const [holder] = names;
    if (!holder) continue;
    if (Math.abs(bytes - holder.size) > 0.5 && isOthers(bytes, objects, SIZES))
      wrong.push(
        `${objects} blocks of ${bytes} bytes are in a stack of ${holder.name}: ${all.filter(Boolean).join(' < ')}`,
      );
  }
  for (const { name, size, held } of holding ?? []) {
    const found = rows.reduce((sum, { names, objects }) => sum + (names[0]?.name === name ? objects : 0), 0);
    if (Math.abs(found - held) > 0.5) {
      const strays = rows.filter(({ bytes, names: [first] }) => !first && Math.abs(bytes - size) < 0.5);
      const where = strays
        .slice(0, 3)
        .map(({ objects, all }) => `${objects} in ${all.map((one) => one || '?').join(' < ')}`);
      wrong.push(
        `${name} holds ${held} blocks, the profile has ${found}. Without a holder: ${where.join(' | ') || 'none'}`,
      );
    }
  }
  return wrong;
}
