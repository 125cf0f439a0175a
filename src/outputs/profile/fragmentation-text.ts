import type { ProfileFragmentation } from '../../model/profile-report.js';
import { formatBytes } from '../text/bytes.js';
import { renderTable } from '../text/table.js';
import { formatCount, formatPercent, type ReportStyle, shownName, shownPlace } from './report-style.js';
import { renderStack } from './stack-text.js';

const CLASSES_SHOWN = 10;

/** Whole stacks are shown of the first few. */
const STACKS_SHOWN = 3;

/** Which size classes waste memory, and whose objects keep their slabs. */
export function renderProfileFragmentation(report: ProfileFragmentation, top: number, style: ReportStyle): string {
  const { classes, holders, wasteBytes, slabBytes, unattributedBytes } = report;
  const layout = {
    ...(style.width === undefined ? {} : { maxWidth: style.width }),
    styleHeader: (line: string) => style.paint('bold', line),
  };
  const head = `${formatBytes(wasteBytes)} of ${formatBytes(slabBytes)} in slabs (${formatPercent(wasteBytes, slabBytes)}) are empty places between small objects.`;
  if (wasteBytes === 0) return head;
  const wasteful = classes.filter((one) => one.wasteBytes > 0).slice(0, CLASSES_SHOWN);
  const classTable = renderTable(
    wasteful.map((one) => [
      formatBytes(one.wasteBytes),
      formatBytes(one.sizeBytes),
      formatPercent(one.regionsInUse, one.slabs * one.regionsPerSlab),
      formatCount(one.slabs),
      formatCount(one.regionsInUse),
      formatCount(one.profiledObjects),
    ]),
    {
      ...layout,
      header: ['waste', 'size class', 'in use', 'slabs', 'objects', 'known to the profile'],
      align: ['right', 'right', 'right', 'right', 'right', 'right'],
    },
  );
  const shown = holders.slice(0, top);
  const holderTable = renderTable(
    shown.map(({ wasteBytes: waste, sizeBytes, liveObjects, owner }) => [
      formatBytes(Math.round(waste)),
      formatBytes(sizeBytes),
      formatCount(liveObjects),
      `${shownName(owner.name)}${owner.place === '' ? '' : ` ${shownPlace(owner.place, style)}`}`,
    ]),
    { ...layout, header: ['waste', 'size class', 'objects', 'held by'], align: ['right', 'right', 'right', 'left'] },
  );
  const stacks = shown
    .slice(0, STACKS_SHOWN)
    .flatMap(({ stack, wasteBytes: waste }, at) => [
      '',
      style.paint('dim', `stack ${at + 1}, ${formatBytes(Math.round(waste))}, the allocating function first:`),
      ...renderStack(stack, style),
    ]);
  const rest = report.holderCount - shown.length;
  return [
    head,
    'A slab goes back only when its last object is freed. These stacks hold the few survivors that keep mostly empty slabs:',
    'the waste of a size class is shared among them by their objects in it. A stack’s class is that of its mean object, so a',
    'stack that allocates objects of several sizes may stand at a class between them.',
    '',
    classTable,
    '',
    ...(holders.length > 0 ? [holderTable] : ['No sampled object is in these size classes.']),
    ...(rest > 0 ? [style.paint('dim', `… and ${formatCount(rest)} more stacks`)] : []),
    ...(unattributedBytes >= 1
      ? [
          style.paint(
            'dim',
            `${formatBytes(Math.round(unattributedBytes))} of the waste is of objects that the profile does not know: not sampled, or older than it`,
          ),
        ]
      : []),
    ...stacks,
  ].join('\n');
}
