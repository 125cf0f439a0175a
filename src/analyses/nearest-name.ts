/** Damerau-Levenshtein distance (adjacent swaps count one), or more than `limit` where it is more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/**
 * The name that was probably meant: the fewest edits away, at most a third of its length, or one that the given word begins or
 * ends. Case and hyphens do not count.
 */
export function nearestName(word: string, names: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase().replaceAll('-', '_').slice(0, 64);
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    const limit = Math.max(1, Math.floor(name.length / 3));
    const plain = name.replaceAll('-', '_');
    const partly = wanted.length >= 4 && (plain.startsWith(`${wanted}_`) || plain.endsWith(`_${wanted}`));
    const squeezed = plain.replaceAll('_', '') === wanted.replaceAll('_', '');
    const distance = squeezed ? 0 : Math.min(editDistance(wanted, plain, limit), partly ? 1 : limit + 1);
    if (distance <= limit && (!best || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}
