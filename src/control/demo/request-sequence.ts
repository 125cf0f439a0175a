/** One request of the load. */
export interface DemoRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string | undefined;
}

/** Numbers from 0 up to 1, the same for the same seed (a 32-bit linear congruential generator). */
function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * The requests of a run, the same for the same seed: 35 in 100 ask for a thumbnail (24 pictures, 60 widths), 45 for a JSON feed
 * (400 of them, 10 to 800 items, small ones more often), 20 post a note of 1 to 40 KB.
 */
export function openRequestSequence(seed: number): () => DemoRequest {
  const random = seededNumbers(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const mostlySmall = () => random() ** 3;
  return () => {
    const kind = random();
    if (kind < 0.35)
      return { method: 'GET', path: `/picture/${below(24)}?width=${16 + 8 * below(60)}`, body: undefined };
    if (kind < 0.8) {
      return {
        method: 'GET',
        path: `/feed/${below(400)}?items=${10 + 10 * Math.floor(mostlySmall() * 80)}`,
        body: undefined,
      };
    }
    const words = Array.from({ length: Math.floor(100 + mostlySmall() * 8000) }, () => `w${below(2000)}`);
    return { method: 'POST', path: '/notes', body: JSON.stringify({ number: below(1e9), words: words.join(' ') }) };
  };
}
