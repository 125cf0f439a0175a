/** Text for XML and HTML, in content and in quoted attributes; what XML does not allow at all becomes U+FFFD. */
export function escapeMarkup(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A number for an attribute: tenths of a pixel are enough. */
export function pixels(value: number): string {
  return String(Math.round(value * 10) / 10);
}
