import { formatDuration } from '../../model/duration.js';
import type { JemallocFigures } from '../../model/memory-sample.js';
import type { SampleRates, StatsReport } from '../../model/stats-report.js';
import { formatBytes } from './bytes.js';
import { cutText, printable, textWidth } from './table.js';

/** How a page of statistics is laid out. */
export interface StatsStyle {
  /** Longer lines are cut; undefined: none is. */
  readonly width: number | undefined;
  readonly paint: (style: 'bold' | 'dim' | 'yellow', text: string) => string;
}

type Line = readonly [label: string, value: string, note: string];

interface Group {
  readonly heading: string;
  readonly lines: readonly Line[];
}

/** `12.3 %`; `-` for what was not measured. */
export function formatShare(share: number | undefined): string {
  return share === undefined || !Number.isFinite(share) ? '-' : `${(share * 100).toFixed(1)} %`;
}

/** A count with its thousands apart: `1,234,567`. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? '-' : String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A change per second with its sign. */
export function formatBytesRate(bytesPerSecond: number | undefined): string {
  if (bytesPerSecond === undefined) return '-';
  const text = formatBytes(Math.round(bytesPerSecond));
  return `${bytesPerSecond > 0 && text !== '0 B' ? '+' : ''}${text}/s`;
}

/** A decay time: milliseconds, `never`, `at once`. */
export function formatDecay(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 0) return 'never';
  return ms === 0 ? 'at once' : formatDuration(ms);
}

function decayRange(range: readonly [number, number] | undefined): string {
  if (range === undefined) return '-';
  const [shortest, longest] = range.map(formatDecay) as [string, string];
  return shortest === longest ? shortest : `${shortest} to ${longest}`;
}

const plural = (count: number, word: string) => `${formatCount(count)} ${word}${count === 1 ? '' : 's'}`;

function processGroup({ sample, rates }: StatsReport): Group {
  const kernel = sample.process;
  const parts = [
    kernel.peakResidentBytes === undefined ? '' : `peak ${formatBytes(kernel.peakResidentBytes)}`,
    kernel.virtualBytes === undefined ? '' : `virtual ${formatBytes(kernel.virtualBytes)}`,
    kernel.swapBytes ? `swapped out ${formatBytes(kernel.swapBytes)}` : '',
    kernel.threads === undefined ? '' : plural(kernel.threads, 'thread'),
  ];
  const lines: Line[] = [['RSS', formatBytes(kernel.residentBytes), parts.filter(Boolean).join(', ')]];
  if (kernel.anonymousBytes !== undefined) {
    const beside = `files ${formatBytes(kernel.fileBytes)}, shared memory ${formatBytes(kernel.sharedMemoryBytes)}`;
    lines.push(['  anonymous', formatBytes(kernel.anonymousBytes), beside]);
  }
  if (rates) lines.push(['  growth', formatBytesRate(rates.residentBytesPerSecond), processorWords(rates)]);
  return { heading: 'Process', lines };
}

function processorWords({ processors }: SampleRates): string {
  return processors === undefined ? '' : `${(processors * 100).toFixed(0)} % of a processor`;
}

function memoryLines(figures: JemallocFigures, report: StatsReport): Line[] {
  const { decay, fragmentation, residentOverhead } = report;
  const dirtyNote = `unused, still in RAM; given back: ${decayRange(decay.dirtyMs)}`;
  const muzzyNote = `unused, the kernel may take them; given back: ${decayRange(decay.muzzyMs)}`;
  return [
    ['allocated', formatBytes(figures.allocatedBytes), 'what the program holds'],
    ['active', formatBytes(figures.activeBytes), `the pages it lies in; fragmentation ${formatShare(fragmentation)}`],
    ['dirty', formatBytes(figures.dirtyBytes), dirtyNote],
    ['muzzy', formatBytes(figures.muzzyBytes), muzzyNote],
    ['metadata', formatBytes(figures.metadataBytes), "jemalloc's own books"],
    [
      'resident',
      formatBytes(figures.residentBytes),
      `all of these, at most; ${formatShare(residentOverhead)} beyond active`,
    ],
    ['mapped', formatBytes(figures.mappedBytes), 'address space in use'],
    ['retained', formatBytes(figures.retainedBytes), 'address space kept without memory behind it'],
  ];
}

function rateLines(rates: SampleRates | undefined): Line[] {
  if (rates === undefined) return [];
  return [
    [
      'requests',
      rates.requestsPerSecond === undefined ? '-' : `${formatCount(rates.requestsPerSecond)}/s`,
      "calls of malloc, as threads' caches report them",
    ],
    ['  growth', formatBytesRate(rates.allocatedBytesPerSecond), 'of allocated'],
    ['  purged', formatBytesRate(rates.purgedBytesPerSecond).replace('+', ''), 'given back to the system'],
  ];
}

function settingLines({ agent, arenasInUse, backgroundThread, tcache, sample }: StatsReport): Line[] {
  const threads = sample.jemalloc?.threads;
  const arenas = arenasInUse === undefined ? '-' : String(arenasInUse);
  const background = backgroundThread?.enabled;
  const runs = backgroundThread?.runs;
  const profiling = agent.profilingEnabled ? 'on' : agent.profilingCompiledIn ? 'off' : 'not compiled in';
  const lines: Line[] = [
    [
      'arenas',
      arenas,
      threads === undefined || arenasInUse === undefined ? '' : `in use, by ${plural(threads, 'thread')}`,
    ],
    [
      'background',
      background === undefined ? '-' : background ? plural(backgroundThread?.threads ?? 0, 'thread') : 'off',
      background === false
        ? 'unused pages go back only while the program allocates'
        : background && runs !== undefined
          ? `ran ${formatCount(runs)} times`
          : '',
    ],
    [
      'tcache',
      tcache.enabled === false ? 'off' : formatBytes(sample.jemalloc?.tcacheBytes),
      tcache.enabled === false || tcache.maxBytes === undefined
        ? ''
        : `kept by threads, blocks up to ${formatBytes(tcache.maxBytes)}`,
    ],
    [
      'profiling',
      profiling,
      agent.profilingCompiledIn && !agent.profilingEnabled ? 'compiled in, not started with prof:true' : '',
    ],
  ];
  return lines;
}

function v8Group({ sample }: StatsReport): Group[] {
  const { v8 } = sample;
  if (v8 === undefined) return [];
  return [
    {
      heading: v8.isolates === 1 ? 'V8' : `V8, ${v8.isolates} isolates`,
      lines: [
        ['heap', formatBytes(v8.heapTotalBytes), `${formatBytes(v8.heapUsedBytes)} of it used`],
        ['external', formatBytes(v8.externalBytes), `${formatBytes(v8.arrayBuffersBytes)} of it ArrayBuffers`],
      ],
    },
  ];
}

function wasteGroup({ waste }: StatsReport): Group[] {
  if (waste === undefined) return [];
  const worst = waste.classes.filter(({ wasteBytes }) => wasteBytes > 0).slice(0, 3);
  const lines = worst.map(
    ({ sizeBytes, wasteBytes, utilization, regions, slabs }): Line => [
      formatBytes(sizeBytes),
      formatBytes(wasteBytes),
      `${plural(regions, 'block')} in ${plural(slabs, 'slab')}, ${formatShare(utilization)} used`,
    ],
  );
  return lines.length === 0
    ? []
    : [{ heading: `Size classes that waste most (of ${formatBytes(waste.wasteBytes)} in all)`, lines }];
}

function allocatorGroup(report: StatsReport): Group {
  const { agent, sample, countsKept } = report;
  const heading = `jemalloc ${agent.jemallocVersion?.replace(/-.*/, '') ?? ''}`.trim();
  if (sample.jemalloc === undefined) return { heading: 'Allocator', lines: [['jemalloc', '-', 'not in this process']] };
  const counted: Line[] =
    countsKept === false
      ? [['statistics', '-', 'this library was built without them (--disable-stats)']]
      : [...memoryLines(sample.jemalloc, report), ...rateLines(report.rates)];
  return { heading, lines: [...counted, ...settingLines(report)] };
}

/** The page of `jem stats`. Its first line names the process, its last one says what stands out and what to type next. */
export function renderStatsPage(report: StatsReport, { width, paint }: StatsStyle): string {
  const groups = [processGroup(report), allocatorGroup(report), ...v8Group(report), ...wasteGroup(report)];
  const all = groups.flatMap(({ lines }) => lines);
  const labelWidth = Math.max(...all.map(([label]) => textWidth(label)));
  const valueWidth = Math.max(...all.map(([, value]) => textWidth(value)));
  const cut = (line: string) => (width === undefined ? line : cutText(line, width));
  const render = ([label, value, note]: Line) =>
    cut(`  ${label.padEnd(labelWidth)}  ${value.padStart(valueWidth)}  ${printable(note)}`.trimEnd());
  const title = printable(
    `${report.name}, pid ${report.pid}${report.user === undefined ? '' : `, user ${report.user}`}`,
  );
  const parts = [
    paint('bold', cut(title)),
    ...groups.map(({ heading, lines }) => [paint('bold', heading), ...lines.map(render)].join('\n')),
  ];
  const { remark } = report;
  if (remark) {
    const text = remark.id === 'nothing' ? remark.text : paint('yellow', remark.text);
    parts.push(`${text}\nNext: ${remark.next}`);
  }
  return parts.join('\n\n');
}
