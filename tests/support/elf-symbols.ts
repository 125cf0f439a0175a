/** A function in the table of {@link buildElfSymbols}. */
export interface TestSymbol {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
  /** 2: a function. */
  readonly type?: number;
  /** 0 local, 1 global, 2 weak. */
  readonly binding?: number;
}

/** Writes an ELF file with one executable segment at 0x1000 and a full symbol table, to be parsed and not run. */
export function buildElfSymbols(
  symbols: readonly TestSymbol[],
  { bits = 64, littleEndian = true, buildId = '' }: { bits?: 32 | 64; littleEndian?: boolean; buildId?: string } = {},
): Buffer {
  const wide = bits === 64;
  const strings = Buffer.from(`\0${symbols.map(({ name }) => name).join('\0')}\0`);
  const entryBytes = wide ? 24 : 16;
  const [symbolsAt, stringsAt] = [0x2000, 0x2000 + entryBytes * (symbols.length + 1)];
  const sectionsAt = 8 * Math.ceil((stringsAt + strings.length) / 8);
  const sectionBytes = wide ? 64 : 40;
  const file = Buffer.alloc(sectionsAt + sectionBytes * 4);
  const half = (at: number, value: number) =>
    littleEndian ? file.writeUInt16LE(value, at) : file.writeUInt16BE(value, at);
  const word = (at: number, value: number) =>
    littleEndian ? file.writeUInt32LE(value, at) : file.writeUInt32BE(value, at);
  const long = (at: number, value: number) => word(at + (wide && !littleEndian ? 4 : 0), value);
  file.write('\x7fELF', 0, 'latin1');
  file[4] = wide ? 2 : 1;
  file[5] = littleEndian ? 1 : 2;
  half(16, 3);
  half(18, 62);
  const headerBytes = wide ? 56 : 32;
  long(wide ? 32 : 28, 64);
  long(wide ? 40 : 32, sectionsAt);
  half(wide ? 54 : 42, headerBytes);
  half(wide ? 56 : 44, 2);
  half(wide ? 58 : 46, sectionBytes);
  half(wide ? 60 : 48, 4);
  const id = Buffer.from(buildId, 'hex');
  const segments = [
    { kind: 1, offset: 0x1000, address: 0x1000, bytes: 0x1000 },
    { kind: 4, offset: 0x800, address: 0, bytes: id.length === 0 ? 0 : 16 + id.length },
  ];
  for (const [i, { kind, offset, address, bytes }] of segments.entries()) {
    const at = 64 + i * headerBytes;
    word(at, kind);
    word(at + (wide ? 4 : 24), 5);
    long(at + (wide ? 8 : 4), offset);
    long(at + (wide ? 16 : 8), address);
    long(at + (wide ? 32 : 16), bytes);
    long(at + (wide ? 40 : 20), bytes);
  }
  word(0x800, 4);
  word(0x804, id.length);
  word(0x808, 3);
  file.write('GNU\0', 0x80c, 'latin1');
  id.copy(file, 0x810);
  let nameAt = 1;
  for (const [i, { name, address, bytes, type = 2, binding = 1 }] of symbols.entries()) {
    const at = symbolsAt + entryBytes * (i + 1);
    word(at, nameAt);
    nameAt += Buffer.byteLength(name) + 1;
    file[at + (wide ? 4 : 12)] = binding * 16 + type;
    half(at + (wide ? 6 : 14), 1);
    long(at + (wide ? 8 : 4), address);
    long(at + (wide ? 16 : 8), bytes);
  }
  strings.copy(file, stringsAt);
  const sections = [
    { type: 2, offset: symbolsAt, bytes: entryBytes * (symbols.length + 1), link: 2 },
    { type: 3, offset: stringsAt, bytes: strings.length, link: 0 },
  ];
  for (const [i, { type, offset, bytes, link }] of sections.entries()) {
    const at = sectionsAt + sectionBytes * (i + 1);
    word(at + 4, type);
    long(at + (wide ? 24 : 16), offset);
    long(at + (wide ? 32 : 20), bytes);
    word(at + (wide ? 40 : 24), link);
  }
  return file;
}
