/** The last part of a name: `load` of `Catalog.load`, `#load` of a private method. */
const OWN = /#?[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** The words and spaces between a name and its parameters; a minified script is one line of millions of characters. */
const MOST_BETWEEN = 200;

const quoted = (name: string) => name.replaceAll('$', '\\$');

/** Where the last match begins, from 1. */
function lastColumn(text: string, pattern: RegExp): number | undefined {
  let found: number | undefined;
  for (const match of text.matchAll(pattern)) found = match.index + 1;
  return found;
}

/**
 * The column of a function's name, from 1. `before`: its line as far as the parameters, which is where V8's functions begin. Undefined: the
 * name does not stand there, since V8 took it from elsewhere.
 */
export function nameColumn(before: string, name: string): number | undefined {
  const own = OWN.exec(name)?.[0];
  if (own === undefined) return undefined;
  const near = before.slice(-own.length - MOST_BETWEEN);
  const start = `(?<![\\p{ID_Continue}$#])${quoted(own)}`;
  const at = new RegExp(`${start}\\s*(?:[=:]\\s*)?(?:async\\s*)?(?:function\\b\\s*)?\\*?\\s*$`, 'u').exec(near);
  if (at) return before.length - near.length + at.index + 1;
  if (!/(?<![\p{ID_Continue}$])constructor\s*$/u.test(before)) return undefined;
  const named = `(?<=\\bclass\\s+)${quoted(own)}(?![\\p{ID_Continue}$])`;
  return lastColumn(before, new RegExp(`${named}|${start}\\s*[=:]\\s*class\\b`, 'gu'));
}

/** The same where nothing tells how far the line is the function's: the last place that looks like it. */
export function lastNameColumn(before: string, name: string): number | undefined {
  const own = OWN.exec(name)?.[0];
  if (own === undefined) return undefined;
  return lastColumn(before, new RegExp(`(?<![\\p{ID_Continue}$.])${quoted(own)}(?=\\s*[(=:])`, 'gu'));
}
