import type { CaptureFacts } from '../../model/heap-profile.js';
import { formatBytes } from '../text/bytes.js';
import type { Metric } from './packed-profile.js';

export const METRIC_NAMES: Readonly<Record<Metric, string>> = {
  liveBytes: 'live bytes',
  liveObjects: 'live objects',
  allocatedBytes: 'allocated bytes',
  allocatedObjects: 'allocated objects',
};

/** Objects for people: estimates are no whole numbers. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

export function formatMetric(metric: Metric, value: number): string {
  return metric.endsWith('Bytes') ? formatBytes(value) : formatCount(value);
}

/** A signed difference. */
export function formatChange(metric: Metric, change: number): string {
  const text = formatMetric(metric, Math.abs(change));
  return /^0( B)?$/.test(text) ? '±0' : `${change > 0 ? '+' : '−'}${text}`;
}

export function formatShare(part: number, whole: number): string {
  if (!(whole > 0)) return '-';
  const percent = (part / whole) * 100;
  if (percent === 0) return '0 %';
  if (percent > 0 && percent < 0.01) return '<0.01 %';
  return `${percent.toFixed(percent >= 99.95 ? 0 : percent >= 9.995 ? 1 : 2)} %`;
}

/** A moment as everyone reads it alike. */
export function formatMoment(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(new Date(ms).getTime())) return '-';
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The facts of a capture as rows of name and value; `-`: not known. */
export function captureRows(capture: CaptureFacts): ReadonlyArray<readonly [string, string]> {
  const { statistics } = capture;
  const known = (value: number | string | undefined) => (value === undefined ? '-' : String(value));
  return [
    ['program', known(capture.program)],
    ['pid', known(capture.pid)],
    ['taken', formatMoment(capture.takenAtMs)],
    ['counted for', capture.durationMs === undefined ? '-' : `${(capture.durationMs / 1000).toFixed(1)} s`],
    ['Node.js', known(capture.nodeVersion)],
    ['jemalloc', known(capture.jemallocVersion)],
    ['a sample every', capture.sampleBytes === undefined ? '-' : formatBytes(capture.sampleBytes)],
    ['stacks walked by', known(capture.unwinder)],
    ['format', capture.format],
    ['allocated (stats.allocated)', formatBytes(statistics?.['stats.allocated'])],
    ['active (stats.active)', formatBytes(statistics?.['stats.active'])],
    ['resident (stats.resident)', formatBytes(statistics?.['stats.resident'])],
  ];
}
