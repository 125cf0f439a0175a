/** The path of the file a script was loaded from; undefined for what no file has: `node:fs`, evaluated code, another scheme. */
export function scriptPath(script: string): string | undefined {
  if (script.startsWith('/')) return script;
  if (!script.startsWith('file:///')) return undefined;
  try {
    return decodeURIComponent(script.slice('file://'.length).replace(/[?#].*$/, ''));
  } catch {
    return undefined;
  }
}

/** A source as people read it: bundlers put a scheme and a number of no use around its path. */
export function readableSource(source: string): string {
  const bundled = /^(?:webpack(?:-internal)?|turbopack|rollup|ng|vite|rspack):\/\/[^/]*\/+(.*)$/.exec(source);
  const plain = bundled?.[1]?.replace(/\?[0-9a-z]*$/, '').replace(/^(?:\.\/)+/, '');
  return plain || (scriptPath(source) ?? source);
}
