import type { CommandFacts } from '../../model/doctor-facts.js';
import { confLines, type PageGroup, type PageLine } from './doctor-lines.js';
import { probeLines } from './doctor-machine.js';

/** The groups of `jem doctor -- command`. */
export function commandGroups({ words, plan, smoke, conf }: CommandFacts): PageGroup[] {
  const { program, library, librarySource } = plan;
  const target = program.target ? ` (${program.target.architecture}, ${program.target.libc})` : '';
  const lines: PageLine[] = [
    { sign: 'plain', label: 'command', text: words[0] ?? '' },
    { sign: 'plain', label: 'file', text: program.path },
  ];
  const between = program.steps.slice(1).map(({ path }) => path);
  if (between.length > 0) lines.push({ sign: 'plain', label: 'leads to', text: between.join(' → ') });
  lines.push({ sign: program.unpreloadable ? 'bad' : 'ok', label: 'program', text: `${program.interpreter}${target}` });
  const launch: PageLine[] = [];
  if (library)
    launch.push({ sign: 'ok', label: 'library', text: `${library.path} (found by: ${librarySource ?? 'search'})` });
  else launch.push({ sign: 'bad', label: 'library', text: `none: ${plan.fallback?.cause ?? 'not searched'}` });
  launch.push(...probeLines(smoke, program.interpreter, undefined));
  for (const [name, value] of Object.entries(plan.environment)) {
    launch.push({
      sign: 'plain',
      label: 'environment',
      text: value === undefined ? `${name} is taken out` : `${name}=${value}`,
    });
  }
  return [
    { heading: 'Command', lines },
    { heading: 'Smoke launch', lines: launch },
    { heading: 'Options', lines: library?.allocator === 'jemalloc' ? confLines(conf) : [] },
  ];
}
