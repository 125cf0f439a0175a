import { createHash } from 'node:crypto';
import { basename, extname, resolve } from 'node:path';
import { deflateSync } from 'node:zlib';
import { InvalidArgumentError, Option } from 'commander';
import { openCurveCollector, overlayRecordings } from '../../analyses/plot-recordings.js';
import { unknownSeries } from '../../analyses/unknown-series.js';
import { writePicture } from '../../control/recording/write-picture.js';
import { JemkitError } from '../../errors.js';
import type { MemorySample } from '../../model/memory-sample.js';
import {
  DEFAULT_SERIES,
  isMemorySeries,
  MEMORY_SERIES_NAMES,
  type MemorySeriesName,
} from '../../model/memory-series.js';
import type { Plot } from '../../model/plot.js';
import { renderPlotPage } from '../../outputs/html/plot-page.js';
import { renderPlotPng } from '../../outputs/png/plot-png.js';
import { renderPlotSvg } from '../../outputs/svg/plot-svg.js';
import { renderPlotText } from '../../outputs/text/plot-page.js';
import { quoteForShell } from '../../outputs/text/shell-quote.js';
import { readRecording } from '../../sources/recording/read-recording.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { readsUtf8 } from '../reads-utf8.js';

interface PlotOptions {
  readonly output?: string;
  readonly series: readonly MemorySeriesName[];
  readonly title?: string;
  readonly json?: true;
  readonly samples?: true;
}

const SIZE = { width: 1000, plotHeight: 420 } as const;

const PICTURES: Readonly<Record<string, (plot: Plot, title: string | undefined) => string | Uint8Array>> = {
  '.svg': (plot, title) => renderPlotSvg(plot, { ...SIZE, title }),
  '.html': (plot, title) =>
    renderPlotPage(plot, { ...SIZE, title }, (text) => createHash('sha256').update(text, 'utf8').digest('base64')),
  '.png': (plot, title) => renderPlotPng(plot, { ...SIZE, title }, (bytes) => deflateSync(bytes, { level: 9 })),
};

const STYLES = ['blue', 'red', 'green', 'yellow', 'magenta', 'cyan', 'white', 'gray'] as const;

function parseSeries(text: string): MemorySeriesName[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) if (!isMemorySeries(name)) throw new InvalidArgumentError(unknownSeries(name));
  return [...new Set(names as MemorySeriesName[])];
}

/** How each file is told from the others: by its name, by its path where two have the same. */
function labelsOf(files: readonly string[]): string[] {
  const names = files.map((file) => basename(file));
  return names.map((name, at) => (names.indexOf(name) === names.lastIndexOf(name) ? name : (files[at] ?? name)));
}

function plotFiles(files: readonly string[], options: PlotOptions, context: CommandContext) {
  const labels = labelsOf(files);
  const kept: MemorySample[][] = [];
  const parts = files.map((file, run) => {
    const samples: MemorySample[] = [];
    const collector = openCurveCollector(options.series);
    const recording = readRecording(file, (sample) => {
      collector.add(sample);
      if (options.samples) samples.push(sample);
    });
    kept.push(samples);
    const { completeness } = recording;
    if (completeness.kind === 'cut') {
      context.terminal.say(
        `jem: ${file} is damaged from byte ${completeness.atByte} on: its first ${recording.samples} samples are shown, ${completeness.lostBytes} bytes are lost`,
      );
    }
    if (recording.samples === 0) {
      throw new JemkitError('ERR_JEM_RECORDING', `${file} has no sample: its recorder ended before the first one`, {
        hint: `jem record ${recording.head.pid} -o another.jemrec`,
        details: { path: file },
      });
    }
    return collector.finish(run, labels[run] ?? file, recording);
  });
  return { plot: overlayRecordings(parts), kept };
}

function toJson(plot: Plot, files: readonly string[], kept: readonly MemorySample[][], options: PlotOptions): string {
  const recordings = plot.runs.map(({ recording, spanMs }, run) => {
    const curves = plot.curves.filter((curve) => curve.run === run);
    return {
      file: files[run],
      ...recording,
      spanMs,
      series: Object.fromEntries(curves.map(({ series, figures }) => [series, figures])),
      ...(options.samples ? { samples: kept[run], sampleCount: recording.samples } : {}),
    };
  });
  return JSON.stringify({ recordings }, undefined, 2);
}

function drawInTerminal(plot: Plot, context: CommandContext): void {
  const { terminal } = context;
  const coloured = terminal.style('red', 'x') !== 'x';
  const unicode = readsUtf8(process.env);
  terminal.print(
    renderPlotText(plot, {
      width: terminal.columns,
      height: Math.min(24, Math.max(8, terminal.lines - plot.curves.length - plot.runs.length - 9)),
      drawing: !unicode ? 'ascii' : coloured ? 'braille' : 'marks',
      paint: coloured ? (series, text) => terminal.style(STYLES[series % STYLES.length] ?? 'white', text) : undefined,
      heading: coloured ? (text) => terminal.style('bold', text) : undefined,
    }),
  );
}

function plot(files: readonly string[], options: PlotOptions, context: CommandContext): void {
  const { output, title } = options;
  const draw = output === undefined ? undefined : PICTURES[extname(output).toLowerCase()];
  if (output !== undefined && !draw) {
    throw new JemkitError('ERR_JEM_USAGE', `-o ${output}: the name must end in .svg, .html or .png`, {
      hint: 'leave -o out to draw in the terminal',
    });
  }
  if (output !== undefined && files.some((file) => resolve(file) === resolve(output))) {
    throw new JemkitError('ERR_JEM_USAGE', `-o ${output} is one of the recordings`, { hint: 'name another file' });
  }
  if (options.samples && !options.json) {
    throw new JemkitError('ERR_JEM_USAGE', '--samples is for --json', { hint: 'jem plot --json --samples run.jemrec' });
  }
  const { plot: drawn, kept } = plotFiles(files, options, context);
  if (options.json) context.terminal.print(toJson(drawn, files, kept, options));
  if (drawn.curves.length === 0 && !options.json) {
    throw new JemkitError('ERR_JEM_RECORDING', `no sample has ${options.series.join(', ')}`, {
      hint: `jem plot ${files.map(quoteForShell).join(' ')}`,
      details: { series: options.series },
    });
  }
  const missing = options.series.filter((name) => !drawn.curves.some(({ series }) => series === name));
  const asked = options.series !== DEFAULT_SERIES;
  if (missing.length > 0 && (asked || drawn.curves.length === 0)) {
    context.terminal.say(`jem: no sample has ${missing.join(', ')}`);
  }
  if (output !== undefined && draw) {
    writePicture(output, draw(drawn, title));
    context.terminal.say(`jem: drew ${drawn.curves.length} curves into ${output}`);
  } else if (!options.json) drawInTerminal(drawn, context);
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Draw recordings of jem record: RSS, jemalloc’s figures and V8’s over time, with a table of peaks, medians and slopes. Several ' +
        'are laid over one another, each from its own start. Without -o it draws in the terminal.',
    )
    .argument('<recordings...>', 'files of jem record')
    .option('-o, --output <file>', 'a picture: name.svg, name.html (with readings under the pointer) or name.png')
    .addOption(
      new Option('-s, --series <names>', `what is drawn, of: ${MEMORY_SERIES_NAMES.join(', ')}`)
        .argParser(parseSeries)
        .default(DEFAULT_SERIES, DEFAULT_SERIES.join(',')),
    )
    .option('--title <text>', 'above the picture')
    .option('--json', 'print the figures as JSON')
    .option('--samples', 'with --json: all samples too')
    .action((files: string[], options: PlotOptions) => plot(files, options, context));
  addExamples(command, [
    ['jem plot run.jemrec', 'in the terminal'],
    ['jem plot run.jemrec -o run.html', 'a page to look at, or to attach to a ticket'],
    ['jem plot before.jemrec after.jemrec -o both.svg', 'two runs over one another'],
    ['jem plot --series rss,allocated run.jemrec', 'only these'],
  ]);
};
