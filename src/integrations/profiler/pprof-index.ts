import type { ProfilerRefusal } from '../../model/profiler-outcome.js';

const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const LINKS = [
  ['heap', 'what is held now'],
  ['heap?debug=1', 'the same as text'],
  ['heap?gc=1', 'after a garbage collection'],
  ['heap?seconds=30', 'what was added and given back in 30 seconds'],
  ['allocs', 'what is held, and what was ever allocated where the process was started with prof_accum:true'],
] as const;

/** The page under `/debug/pprof/`. */
export function pprofIndex(refusal: ProfilerRefusal | undefined): string {
  const state = refusal
    ? `<p><strong>No profile: ${escaped(refusal.cause)}</strong></p><p>${escaped(refusal.remedy)}</p>`
    : '<p>Native memory of this process, by the stacks that allocated it.</p>';
  const links = LINKS.map(([link, text]) => `<li><a href="${link}">${link}</a>: ${text}</li>`).join('\n');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>/debug/pprof/</title>
<style>:root { color-scheme: light dark; font-family: system-ui, sans-serif }</style>
<h1>/debug/pprof/</h1>
${state}
<ul>
${links}
</ul>
</html>
`;
}
