import { promisify } from 'node:util';
import { crc32, deflate, inflate } from 'node:zlib';

const compress = promisify(deflate);
const decompress = promisify(inflate);
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type, data) {
  const bytes = Buffer.allocUnsafe(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, data.length + 8)), data.length + 8);
  return bytes;
}

/** Writes RGB pixels as a PNG file (8 bits a channel, no row filter). */
export async function encodePng({ width, height, pixels }) {
  const rowBytes = width * 3;
  const rows = Buffer.allocUnsafe((rowBytes + 1) * height);
  for (let y = 0; y < height; y++) {
    rows[y * (rowBytes + 1)] = 0;
    pixels.copy(rows, y * (rowBytes + 1) + 1, y * rowBytes, (y + 1) * rowBytes);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = 2;
  const data = await compress(rows, { level: 3 });
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** Reads a PNG file that `encodePng` wrote. */
export async function decodePng(file) {
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const dataBytes = file.readUInt32BE(33);
  const rows = await decompress(file.subarray(41, 41 + dataBytes));
  const rowBytes = width * 3;
  const pixels = Buffer.allocUnsafe(rowBytes * height);
  for (let y = 0; y < height; y++) {
    rows.copy(pixels, y * rowBytes, y * (rowBytes + 1) + 1, (y + 1) * (rowBytes + 1));
  }
  return { width, height, pixels };
}

/** Scales a picture down to `width` columns: each new pixel is the mean of those it covers. */
export function scalePicture(picture, width) {
  const height = Math.max(1, Math.round((picture.height * width) / picture.width));
  const pixels = Buffer.allocUnsafe(width * height * 3);
  let target = 0;
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * picture.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * picture.height) / height));
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * picture.width) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * picture.width) / width));
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let row = top; row < bottom; row++) {
        let source = (row * picture.width + left) * 3;
        for (let column = left; column < right; column++) {
          red += picture.pixels[source++];
          green += picture.pixels[source++];
          blue += picture.pixels[source++];
        }
      }
      const count = (bottom - top) * (right - left);
      pixels[target++] = red / count;
      pixels[target++] = green / count;
      pixels[target++] = blue / count;
    }
  }
  return { width, height, pixels };
}

/** A picture to begin with: soft colours with a little grain, the same for the same number. */
export function paintPicture(number, width, height) {
  const pixels = Buffer.allocUnsafe(width * height * 3);
  let grain = number * 2654435761 + 1;
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      grain = (Math.imul(grain, 1664525) + 1013904223) | 0;
      const noise = (grain >>> 28) - 8;
      pixels[at++] = 128 + 90 * Math.sin((x + number * 31) / 70) + noise;
      pixels[at++] = 128 + 90 * Math.sin((y + number * 17) / 50) + noise;
      pixels[at++] = 128 + 90 * Math.sin((x + y) / 90) + noise;
    }
  }
  return { width, height, pixels };
}
