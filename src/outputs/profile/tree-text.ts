import type { ProfileMeasure, ProfileNode, ProfileTree } from '../../model/profile-report.js';
import { formatBytes } from '../text/bytes.js';
import { cutText } from '../text/table.js';
import { formatCount, formatPercent, type ReportStyle, shownName, shownPlace } from './report-style.js';

export interface TreeTextOptions {
  readonly wholeBytes: number;
  readonly wholeObjects: number;
  readonly measure: ProfileMeasure;
  /** What the tree was made with. */
  readonly leastShare: number;
}

/** Deeper ones would only move the text out of the terminal. */
const DEEPEST_INDENT = 60;

/** A call tree as indented lines; a chain of single calls stays at one depth, so that deep stacks remain readable. */
export function renderProfileTree(tree: ProfileTree, options: TreeTextOptions, style: ReportStyle): string {
  const { measure, leastShare } = options;
  const whole = measure === 'bytes' ? options.wholeBytes : options.wholeObjects;
  const figure = (value: number) => (measure === 'bytes' ? formatBytes(Math.round(value)) : formatCount(value));
  const lines: string[] = [];
  const put = (value: number, indent: string, text: string) => {
    const line = `${figure(value).padStart(9)} ${formatPercent(value, whole).padStart(6)}  ${indent}${text}`;
    lines.push(style.width === undefined ? line : cutText(line, style.width));
  };
  const textOf = (node: ProfileNode) => {
    const place = node.place === '' ? '' : ` ${shownPlace(node.place, style)}`;
    const self = node[measure === 'bytes' ? 'selfBytes' : 'selfObjects'];
    const own = self !== 0 && node.children.length > 0 && tree.direction === 'down' ? `  (itself ${figure(self)})` : '';
    return `${shownName(node.name)}${place}${own}`;
  };
  const visit = (node: ProfileNode, depth: number, isBranch: boolean) => {
    put(node[measure], '  '.repeat(Math.min(depth, DEEPEST_INDENT)), textOf(node));
    const shown = node.children.filter((child) => child[measure] !== 0);
    const { leftOut } = node;
    const branches = shown.length + (leftOut.children > 0 ? 1 : 0);
    const inner = branches > 1 || isBranch ? depth + 1 : depth;
    for (const child of shown) visit(child, inner, branches > 1);
    if (leftOut.children === 0) return;
    const words = `… in ${formatCount(leftOut.children)} more, each below ${formatPercent(leastShare, 1)}`;
    put(leftOut[measure], '  '.repeat(Math.min(inner, DEEPEST_INDENT)), words);
  };
  visit(tree.root, 0, true);
  return lines.join('\n');
}
