import type { DoctorFacts } from '../../model/doctor-facts.js';
import type { Finding } from '../../model/finding.js';
import { commandGroups } from './doctor-command.js';
import type { PageGroup, Sign } from './doctor-lines.js';
import { machineGroups } from './doctor-machine.js';
import { processGroups } from './doctor-process.js';
import { printable, textWidth } from './table.js';

/** Colours, where the terminal has them. */
export type Paint = (style: 'green' | 'yellow' | 'red' | 'bold' | 'dim', text: string) => string;

const SIGNS: Readonly<Record<Sign, readonly [mark: string, style: 'green' | 'yellow' | 'red' | 'dim']>> = {
  ok: ['✓', 'green'],
  look: ['!', 'yellow'],
  bad: ['✗', 'red'],
  plain: ['·', 'dim'],
};

const SEVERITY_SIGN = { problem: 'bad', warning: 'look', info: 'plain' } as const;

function groupsOf(facts: DoctorFacts): PageGroup[] {
  switch (facts.kind) {
    case 'machine':
      return machineGroups(facts);
    case 'process':
      return processGroups(facts);
    case 'command':
      return commandGroups(facts);
  }
}

function renderGroup({ heading, lines }: PageGroup, labelWidth: number, paint: Paint): string {
  const rendered = lines.map(({ sign, label, text }) => {
    const [mark, style] = SIGNS[sign];
    return `  ${paint(style, mark)} ${label}${' '.repeat(Math.max(0, labelWidth - textWidth(label)))}  ${printable(text)}`.trimEnd();
  });
  return [paint('bold', heading), ...rendered].join('\n');
}

function renderFinding({ severity, title, cause, remedy }: Finding, paint: Paint): string {
  const [mark, style] = SIGNS[SEVERITY_SIGN[severity]];
  const lines = [`  ${paint(style, `${mark} ${severity}:`)} ${printable(title)}`];
  if (cause) lines.push(`      cause:  ${printable(cause)}`);
  if (remedy) lines.push(`      remedy: ${printable(remedy)}`);
  return lines.join('\n');
}

function verdict(findings: readonly Finding[]): string {
  const count = (severity: Finding['severity']) => findings.filter((finding) => finding.severity === severity).length;
  const words = [
    [count('problem'), 'problem'],
    [count('warning'), 'warning'],
  ] as const;
  const said = words.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}${n > 1 ? 's' : ''}`);
  return said.length === 0 ? 'Findings: no problem, no warning' : `Findings: ${said.join(', ')}`;
}

/** The page of `jem doctor`: what was found, group by group, then the findings with cause and remedy. */
export function renderDoctorPage(
  facts: DoctorFacts,
  findings: readonly Finding[],
  paint: Paint = (_, text) => text,
): string {
  const groups = groupsOf(facts).filter(({ lines }) => lines.length > 0);
  const labelWidth = Math.max(0, ...groups.flatMap(({ lines }) => lines.map(({ label }) => textWidth(label))));
  return [
    ...groups.map((group) => renderGroup(group, labelWidth, paint)),
    [paint('bold', verdict(findings)), ...findings.map((finding) => renderFinding(finding, paint))].join('\n'),
  ].join('\n\n');
}
