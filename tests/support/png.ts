import { inflateSync } from 'node:zlib';

/** A decoded PNG of eight bits a colour without transparency. */
export interface DecodedPng {
  readonly width: number;
  readonly height: number;
  /** Three bytes a point. */
  readonly points: Uint8Array;
  /** How many points have each colour, as 0xrrggbb. */
  readonly colours: ReadonlyMap<number, number>;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** Decodes a PNG, and throws where anything of it is not as the format says. */
export function decodePng(bytes: Buffer): DecodedPng {
  if (bytes.subarray(0, 8).toString('latin1') !== '\u0089PNG\r\n\u001a\n') throw new Error('no signature');
  const chunks: { type: string; content: Buffer }[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.subarray(at + 4, at + 8).toString('latin1');
    if (bytes.readUInt32BE(at + 8 + length) !== crc32(bytes.subarray(at + 4, at + 8 + length)))
      throw new Error(`CRC of ${type}`);
    chunks.push({ type, content: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  const [head] = chunks;
  if (head?.type !== 'IHDR' || chunks.at(-1)?.type !== 'IEND') throw new Error('no head or no end');
  const [width, height] = [head.content.readUInt32BE(0), head.content.readUInt32BE(4)];
  if (head.content.subarray(8).toString('hex') !== '0802000000') throw new Error('another kind of PNG');
  const rows = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ content }) => content)));
  const stride = width * 3;
  if (rows.length !== (stride + 1) * height) throw new Error(`${rows.length} bytes of rows`);
  const points = new Uint8Array(stride * height);
  const colours = new Map<number, number>();
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    if (filter !== 0 && filter !== 2) throw new Error(`filter ${filter}`);
    for (let x = 0; x < stride; x++) {
      const above = filter === 2 && y > 0 ? (points[(y - 1) * stride + x] ?? 0) : 0;
      points[y * stride + x] = ((rows[y * (stride + 1) + 1 + x] ?? 0) + above) & 0xff;
    }
  }
  for (let at = 0; at < points.length; at += 3) {
    const colour = ((points[at] ?? 0) << 16) | ((points[at + 1] ?? 0) << 8) | (points[at + 2] ?? 0);
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  return { width, height, points, colours };
}
