/** Columns and rows of a letter; the last two rows lie below the line. */
export const GLYPH = { columns: 5, rows: 9, baseline: 7, advance: 6 } as const;

// The printable characters of ASCII from the space on: a digit to the base 32 for each row, its highest bit the leftmost point.
const ROWS = [
  '000000000444440400aaa000000aavavaa004fke5u400pp248jj00cik8lid00444000000248884200842224800',
  '04lel4000044v4400000000c480000v0000000000cc0011248gg00ehjlphe004c4444e00eh1248v00v2421he00',
  '26aiv2200vgu11he0068guhhe00v12488800ehhehhe00ehhf12c000cc0cc0000cc0c4800248g8420000v0v0000',
  '842124800eh1240400ehnlnge00ehhvhhh00uhhuhhu00ehggghe00sihhhis00vgguggv00vgguggg00ehgnhhf00',
  'hhhvhhh00e44444e0072222ic00hikokih00ggggggv00hrllhhh00hhpljhh00ehhhhhe00uhhuggg00ehhhlid00',
  'uhhukih00fgge11u00v44444400hhhhhhe00hhhhha400hhhllla00hha4ahh00hha444400v1248gv00e88888e00',
  'gg8421100e22222e004ah0000000000000v084200000000e1fhf00gguhhhu0000egghe0011fhhhf0000ehvge00',
  '698s8880000fhhhf1eggmphhh0040c444e002062222icggikoki00c44444e0000qllll0000mphhh0000ehhhe00',
  '00uhhhugg00fhhhf1100mpggg0000fge1u0088s88960000hhhjd0000hhha40000hhlla0000ha4ah0000hhhhf1e',
  '00v248v00244844200444444400844244800008l20000',
].join('');

const FIRST = 0x20;
const LAST = 0x7e;
const UNKNOWN = '?'.charCodeAt(0);

/** What the letters below stand for where the picture has none of its own. */
const SPELLED: Readonly<Record<string, string>> = { '…': '..', '–': '-', '−': '-', '’': "'", '→': '->' };

/** A text in characters that have a picture; others are shown as `?`. */
export function spellInGlyphs(text: string): string {
  return Array.from(text, (character) => {
    const spelled = SPELLED[character] ?? character;
    return /^[\u0020-\u007e]+$/.test(spelled) ? spelled : '?';
  }).join('');
}

/** The rows of a character's picture, each as bits. */
export function glyphRows(character: string): number[] {
  const code = character.charCodeAt(0);
  const at = ((code >= FIRST && code <= LAST ? code : UNKNOWN) - FIRST) * GLYPH.rows;
  return Array.from(ROWS.slice(at, at + GLYPH.rows), (digit) => Number.parseInt(digit, 32));
}
