import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMemoryMaps, readMemoryMaps } from '../../../../src/sources/procfs/memory-maps.js';

const TEXT = `00400000-00b1c000 r--p 00000000 fd:01 260689                             /usr/bin/node
7f2a4c021000-7f2a50000000 ---p 00000000 00:00 0 
7f2a54a00000-7f2a54a22000 r-xp 00022000 fd:01 11                         /srv/my app/lib with spaces.so
7f2a54b00000-7f2a54b01000 r--p 00000000 fd:01 12                         /tmp/gone.so (deleted)
7f2a54c00000-7f2a54c01000 rw-p 00000000 00:00 0                          [anon:odd\\012name]
7ffe9d1e2000-7ffe9d203000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

test('each kind of line', () => {
  const maps = parseMemoryMaps(TEXT);
  expect(maps).toHaveLength(7);
  expect(maps[0]).toEqual({
    start: 0x400000,
    end: 0xb1c000,
    permissions: 'r--p',
    fileOffset: 0,
    device: 'fd:01',
    inode: 260689,
    path: '/usr/bin/node',
    deleted: false,
  });
  expect(maps[1]?.path).toBeUndefined();
  expect(maps[2]).toMatchObject({ path: '/srv/my app/lib with spaces.so', fileOffset: 0x22000 });
  expect(maps[3]).toMatchObject({ path: '/tmp/gone.so', deleted: true });
  expect(maps[4]?.path).toBe('[anon:odd\nname]');
});

test('any text never throws', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.nat(TEXT.length),
      (text, at) => void parseMemoryMaps(TEXT.slice(0, at) + text + TEXT.slice(at)),
    ),
  );
});

test('the kernel at hand', () => {
  expect(readMemoryMaps('self').some(({ path }) => path === '[stack]')).toBe(true);
  expect(() => readMemoryMaps(2 ** 30)).toThrow(/ENOENT/);
});
