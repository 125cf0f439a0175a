/** A tiny ELF file to be parsed, not run. */
export interface ElfFileOptions {
  readonly bits?: 32 | 64;
  readonly littleEndian?: boolean;
  /** ELF machine number; 62 is x86-64. */
  readonly machine?: number;
  /** 2 executable, 3 shared. */
  readonly type?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly soname?: string;
  /** An undefined symbol and the address of the slot that is relocated to it. */
  readonly importSlot?: { readonly name: string; readonly relocation: number; readonly address: number };
}

const DT = {
  NULL: 0,
  NEEDED: 1,
  HASH: 4,
  STRTAB: 5,
  SYMTAB: 6,
  RELA: 7,
  RELASZ: 8,
  STRSZ: 10,
  SONAME: 14,
  REL: 17,
  RELSZ: 18,
};

/** Writes an ELF file of one segment, in which address and offset are the same. */
export function buildElf(options: ElfFileOptions = {}): Buffer {
  const {
    bits = 64,
    littleEndian = true,
    machine = 62,
    type = 3,
    needed = [],
    interpreter,
    soname,
    importSlot,
  } = options;
  const wide = bits === 64;
  const file = Buffer.alloc(4096);
  const half = (at: number, value: number) =>
    littleEndian ? file.writeUInt16LE(value, at) : file.writeUInt16BE(value, at);
  const word = (at: number, value: number) =>
    littleEndian ? file.writeUInt32LE(value, at) : file.writeUInt32BE(value, at);
  const long = (at: number, value: number) => {
    if (!wide) return void word(at, value);
    word(at + (littleEndian ? 0 : 4), value);
    word(at + (littleEndian ? 4 : 0), 0);
  };
  const longBytes = wide ? 8 : 4;

  file.write('\x7fELF', 0, 'latin1');
  file[4] = wide ? 2 : 1;
  file[5] = littleEndian ? 1 : 2;
  file[6] = 1;
  half(16, type);
  half(18, machine);
  const headerBytes = wide ? 56 : 32;
  const headersAt = wide ? 64 : 52;
  const segments: [kind: number, offset: number, bytes: number][] = [[1, 0, file.length]];

  const strings: string[] = [''];
  const stringAt = (text: string) => {
    const at = Buffer.byteLength(strings.join('\0')) + 1;
    strings.push(text);
    return at;
  };
  const neededAt = needed.map(stringAt);
  const sonameAt = soname === undefined ? undefined : stringAt(soname);
  const symbolAt = importSlot && stringAt(importSlot.name);
  const [stringsOffset, symbolsOffset, hashOffset, relocationsOffset, dynamicOffset, interpreterOffset] = [
    1024, 2048, 2304, 2432, 2560, 3584,
  ];

  const dynamic: [tag: number, value: number][] = neededAt.map((at) => [DT.NEEDED, at]);
  if (sonameAt !== undefined) dynamic.push([DT.SONAME, sonameAt]);
  const table = Buffer.from(`${strings.join('\0')}\0`);
  table.copy(file, stringsOffset);
  dynamic.push([DT.STRTAB, stringsOffset], [DT.STRSZ, table.length]);
  if (importSlot && symbolAt !== undefined) {
    // Symbol 1, undefined; the hash table's second word is the number of symbols.
    word(symbolsOffset + (wide ? 24 : 16), symbolAt);
    word(hashOffset, 1);
    word(hashOffset + 4, 2);
    long(relocationsOffset, importSlot.address);
    if (wide) {
      word(relocationsOffset + 8 + (littleEndian ? 0 : 4), importSlot.relocation);
      word(relocationsOffset + 8 + (littleEndian ? 4 : 0), 1);
    } else {
      word(relocationsOffset + 4, (1 << 8) | importSlot.relocation);
    }
    dynamic.push([DT.SYMTAB, symbolsOffset], [DT.HASH, hashOffset]);
    dynamic.push(
      ...(wide
        ? ([
            [DT.RELA, relocationsOffset],
            [DT.RELASZ, 24],
          ] as const)
        : ([
            [DT.REL, relocationsOffset],
            [DT.RELSZ, 8],
          ] as const)
      ).map(([tag, value]): [number, number] => [tag, value]),
    );
  }
  dynamic.push([DT.NULL, 0]);
  for (const [i, [tag, value]] of dynamic.entries()) {
    long(dynamicOffset + i * longBytes * 2, tag);
    long(dynamicOffset + i * longBytes * 2 + longBytes, value);
  }
  segments.push([2, dynamicOffset, dynamic.length * longBytes * 2]);
  if (interpreter !== undefined) {
    file.write(`${interpreter}\0`, interpreterOffset);
    segments.push([3, interpreterOffset, Buffer.byteLength(interpreter) + 1]);
  }

  long(wide ? 32 : 28, headersAt);
  half(wide ? 54 : 42, headerBytes);
  half(wide ? 56 : 44, segments.length);
  for (const [i, [kind, offset, bytes]] of segments.entries()) {
    const at = headersAt + i * headerBytes;
    word(at, kind);
    long(at + (wide ? 8 : 4), offset);
    long(at + (wide ? 16 : 8), offset);
    long(at + (wide ? 32 : 16), bytes);
    long(at + (wide ? 40 : 20), bytes);
    word(at + (wide ? 4 : 24), 5);
  }
  return file;
}
