/** The elements of a well-formed text of XML, in order; throws where it is not well-formed. Knows no doctype and no CDATA. */
export function parseMarkup(text: string): { readonly name: string; readonly attributes: Record<string, string> }[] {
  const elements: { name: string; attributes: Record<string, string> }[] = [];
  const open: string[] = [];
  const decode = (value: string) => {
    if (/&(?!(amp|lt|gt|quot|#39);)/.test(value)) throw new Error(`a bare & in: ${value.slice(0, 80)}`);
    return value
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&');
  };
  let at = 0;
  for (const match of text.matchAll(/<(\/?)([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const between = text.slice(at, match.index);
    if (/[<>]/.test(between)) throw new Error(`a bare < or > in: ${between.slice(0, 80)}`);
    decode(between);
    at = match.index + match[0].length;
    const [, closing, name = '', attributes = '', empty] = match;
    if (closing) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(
      ([, key = '', value = '']) => [key, decode(value)] as const,
    );
    if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Error(`an attribute twice in <${name}>`);
    elements.push({ name, attributes: Object.fromEntries(pairs) });
    if (!empty) open.push(name);
  }
  if (open.length > 0 || /[<>]/.test(text.slice(at)))
    throw new Error(`not closed: ${open.join(', ')} ${text.slice(at, at + 80)}`);
  return elements;
}
