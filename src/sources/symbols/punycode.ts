const BASE = 36;
const LOWEST = 1;
const HIGHEST = 26;
const SKEW = 38;
const DAMP = 700;

/** Rust's identifiers outside of ASCII (RFC 3492, with `_` before what is encoded); undefined where it is damaged. */
export function decodePunycode(text: string): string | undefined {
  const split = text.lastIndexOf('_');
  const points = Array.from(split < 0 ? '' : text.slice(0, split), (letter) => letter.codePointAt(0) ?? 0);
  const encoded = text.slice(split + 1);
  let [point, index, bias] = [128, 0, 72];
  for (let at = 0; at < encoded.length; ) {
    const before = index;
    for (let weight = 1, digits = BASE; ; digits += BASE) {
      const letter = encoded[at++] ?? '';
      const digit = /[a-z]/.test(letter) ? letter.charCodeAt(0) - 97 : /\d/.test(letter) ? Number(letter) + 26 : -1;
      if (digit < 0) return undefined;
      index += digit * weight;
      const least = Math.min(Math.max(digits - bias, LOWEST), HIGHEST);
      if (digit < least) break;
      weight *= BASE - least;
      if (weight > 2 ** 40) return undefined;
    }
    const length = points.length + 1;
    let delta = Math.floor((index - before) / (before === 0 ? DAMP : 2));
    delta += Math.floor(delta / length);
    let steps = 0;
    for (; delta > ((BASE - LOWEST) * HIGHEST) / 2; steps += BASE) delta = Math.floor(delta / (BASE - LOWEST));
    bias = steps + Math.floor(((BASE - LOWEST + 1) * delta) / (delta + SKEW));
    point += Math.floor(index / length);
    index %= length;
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    points.splice(index, 0, point);
    index += 1;
  }
  return String.fromCodePoint(...points);
}
