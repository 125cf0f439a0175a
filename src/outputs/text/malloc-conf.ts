import type { MallocConfPreset } from '../../model/malloc-conf-presets.js';
import type {
  MallocConfExplanation,
  MallocConfFinding,
  MallocConfOptionSummary,
} from '../../model/malloc-conf-report.js';
import { renderTable } from './table.js';

type Style = (style: 'bold' | 'dim' | 'red' | 'yellow' | 'cyan' | 'green', text: string) => string;

const COLOURS = { problem: 'red', warning: 'yellow', info: 'cyan' } as const;
const TAB_OR_CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
const MAX_SHOWN = 160;

/** Breaks a text at spaces into lines of at most `width`, each indented. */
export function wrapText(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, indent + line].join('\n');
}

/** The string with carets under a part; only its surroundings where it is long. */
function pointAt(conf: string, { offset, length }: MallocConfFinding): string {
  const from = conf.length <= MAX_SHOWN ? 0 : Math.max(0, offset - 40);
  const shown = conf.slice(from, from + MAX_SHOWN).replace(TAB_OR_CONTROL, '?');
  const width = Math.max(1, Math.min(length, shown.length - (offset - from)));
  const before = from > 0 ? '…' : '';
  const after = from + MAX_SHOWN < conf.length ? '…' : '';
  return `  ${before}${shown}${after}\n  ${' '.repeat(before.length + offset - from)}${'^'.repeat(width)}`;
}

/** Findings about a string, each with the place it is about. */
export function renderConfFindings(
  conf: string,
  findings: readonly MallocConfFinding[],
  style: Style,
  columns: number,
): string {
  return findings
    .map((finding) => {
      const label = style(COLOURS[finding.severity], finding.severity);
      const lines = [
        pointAt(conf, finding),
        wrapText(`${finding.severity}: ${finding.title}`, columns, '  ').replace(finding.severity, label),
      ];
      if (finding.cause) lines.push(wrapText(`why: ${finding.cause}`, columns, '    '));
      if (finding.remedy) lines.push(`    instead: ${finding.remedy}`);
      return lines.join('\n');
    })
    .join('\n\n');
}

/** Each pair and what it does. */
export function renderConfExplanations(
  explanations: readonly MallocConfExplanation[],
  style: Style,
  columns: number,
): string {
  return explanations
    .map(({ key, value, sentence, effective }) => {
      const head = style(effective ? 'bold' : 'red', `${key}:${value}`.replace(TAB_OR_CONTROL, '?'));
      return `${head}\n${wrapText(sentence, columns, '  ')}`;
    })
    .join('\n');
}

/** Options as a table, cut to the terminal's width. */
export function renderConfOptions(
  options: readonly MallocConfOptionSummary[],
  style: Style,
  columns: number | undefined,
): string {
  return renderTable(
    options.map((option) => [option.name, option.default || '-', option.versions, option.doc]),
    {
      header: ['OPTION', 'DEFAULT', 'SINCE', 'WHAT IT DOES'],
      styleHeader: (line) => style('dim', line),
      ...(columns === undefined ? {} : { maxWidth: columns }),
    },
  );
}

/** Presets with what each is for, trades, and comes from. */
export function renderConfPresets(
  presets: readonly MallocConfPreset[],
  standard: string,
  style: Style,
  columns: number,
): string {
  return presets
    .map(({ name, conf, summary, trades, source }) =>
      [
        style('bold', name) + (name === standard ? ' (default)' : ''),
        wrapText(summary, columns, '  '),
        `  MALLOC_CONF=${conf}`,
        wrapText(`trades: ${trades}`, columns, '  '),
        wrapText(`from: ${source}`, columns, '  '),
      ].join('\n'),
    )
    .join('\n\n');
}
