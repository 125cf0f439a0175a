const ESCAPES: Readonly<Record<string, string>> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
};

function readEscapes(part: string): string {
  const text = part.startsWith('_$') ? part.slice(1) : part;
  return text.replace(/\$(\w+)\$|\.\./g, (whole, code: string | undefined) => {
    if (code === undefined) return '::';
    const number = /^u([0-9a-f]{1,6})$/.exec(code)?.[1];
    if (number === undefined) return ESCAPES[code] ?? whole;
    const point = Number.parseInt(number, 16);
    return point >= 0x20 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)
      ? String.fromCodePoint(point)
      : whole;
  });
}

/** A Rust symbol of the older form, which looks like C++ and ends in a hash, without the hash; undefined for any other. */
export function demangleRustLegacy(symbol: string): string | undefined {
  const inside = /^_?_ZN((?:\d+[^.]*.*)?)17h[0-9a-f]{16}E(?:\.llvm\.[0-9A-F]+)?(?:\.\w+)*$/.exec(symbol)?.[1];
  if (!inside) return undefined;
  const parts: string[] = [];
  for (let at = 0; at < inside.length; ) {
    const digits = /^\d+/.exec(inside.slice(at, at + 6))?.[0];
    if (digits === undefined) return undefined;
    at += digits.length;
    const part = inside.slice(at, at + Number(digits));
    if (part.length < Number(digits) || part === '') return undefined;
    at += part.length;
    parts.push(readEscapes(part));
  }
  return parts.length === 0 ? undefined : parts.join('::');
}
