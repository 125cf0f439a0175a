/** A C++ template's name can be larger than the rest of the report. */
const LONGEST_TEXT = 2000;

/**
 * A text of a profile as the report shows it: without what would move, hide or turn around other text (control characters, marks of
 * direction, halves of characters), and not endless.
 */
export function shownText(text: string): string {
  const clean = text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]|\p{Surrogate}/gu,
    '\ufffd',
  );
  if (clean.length <= LONGEST_TEXT) return clean;
  const half = LONGEST_TEXT / 2;
  const cut = (part: string) => part.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
  return `${cut(clean.slice(0, half))}…${cut(clean.slice(-half))}`;
}
