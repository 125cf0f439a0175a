// Makes the flame graph's client, src/outputs/flame-graph/client, into the module that the report's page is made with: one script and one
// style sheet as texts, with the hashes that the page's content security policy allows. The build writes it into dist; tests, which run
// from src, get it through the plugin.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const folder = join(import.meta.dirname, '..', 'src', 'outputs', 'flame-graph');

export async function bundleFlameGraphClient() {
  const bundle = await rolldown({ input: join(folder, 'client', 'main.ts'), platform: 'browser', tsconfig: false });
  const { output } = await bundle.generate({ format: 'iife', minify: true, codeSplitting: false, comments: false });
  const script = output[0].code.trim();
  // The page is one file: a script that had this in a string would end there.
  if (/<\/script|<!--/i.test(script)) throw new Error('The client contains text that ends a script element.');
  const styles = readFileSync(join(folder, 'client', 'report.css'), 'utf8')
    .replace(/\n\s*/g, '\n')
    .trim();
  const hash = (text) => createHash('sha256').update(text, 'utf8').digest('base64');
  const client = { script, scriptHash: hash(script), styles, stylesHash: hash(styles) };
  return `export const CLIENT = ${JSON.stringify(client)};\n`;
}

/** For vitest: the module where sources import it. */
export function flameGraphClient() {
  const id = join(folder, 'client-code.js');
  return {
    name: 'flame-graph-client',
    enforce: 'pre',
    resolveId: (source, importer) =>
      source.endsWith('/client-code.js') && importer?.startsWith(folder) ? id : undefined,
    load: (wanted) => (wanted === id ? bundleFlameGraphClient() : undefined),
  };
}
