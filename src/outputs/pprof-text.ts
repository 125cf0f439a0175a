import { frameAt, type HeapProfile, stackFrames } from '../model/heap-profile.js';

/** Neither lines nor columns of the text can be broken by a name. */
const plain = (text: string) => text.replace(/[\x00-\x1f\x7f]/g, '?');

const whole = (value: number | undefined) => Math.round(value ?? 0);

/**
 * A heap profile as Go's `?debug=1` writes it: for each stack `live objects: live bytes [allocated objects: allocated bytes] @ addresses`, the largest first, and a line per
 * frame. Of a profile without what was ever allocated the brackets hold what is live.
 */
export function renderPprofText(profile: HeapProfile): string {
  const { samples, capture } = profile;
  const rows = Array.from({ length: samples.count }, (_, at) => ({
    stack: samples.stack[at] ?? 0,
    objects: whole(samples.liveObjects[at]),
    bytes: whole(samples.liveBytes[at]),
    allObjects: whole((samples.allocatedObjects ?? samples.liveObjects)[at]),
    allBytes: whole((samples.allocatedBytes ?? samples.liveBytes)[at]),
  })).sort((left, right) => right.bytes - left.bytes || right.allBytes - left.allBytes);
  const values = (row: Omit<(typeof rows)[number], 'stack'>) =>
    `${row.objects}: ${row.bytes} [${row.allObjects}: ${row.allBytes}]`;
  const total = { objects: 0, bytes: 0, allObjects: 0, allBytes: 0 };
  for (const row of rows) {
    total.objects += row.objects;
    total.bytes += row.bytes;
    total.allObjects += row.allObjects;
    total.allBytes += row.allBytes;
  }
  const lines = [`heap profile: ${values(total)} @ heap/${capture.sampleBytes ?? 1}`];
  for (const row of rows) {
    const frames = [...stackFrames(profile, row.stack)].map((frame) => frameAt(profile, frame));
    const addresses = frames.map(({ address }) => (Number.isNaN(address) ? '0x0' : `0x${address.toString(16)}`));
    lines.push(`${values(row)} @ ${addresses.join(' ')}`);
    frames.forEach(({ name, file, line, module, inlined }, at) => {
      const place = file ? `${file}${line ? `:${line}` : ''}` : module;
      lines.push(`#\t${addresses[at]}\t${plain(name) || '?'}${inlined ? ' (inlined)' : ''}\t${plain(place)}`);
    });
    lines.push('');
  }
  for (const note of capture.notes) lines.push(`# ${plain(note)}`);
  return `${lines.join('\n')}\n`;
}
