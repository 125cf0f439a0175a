import { formatBytes } from './bytes.js';

/** What is said of a capture. */
export interface CaptureFigures {
  readonly liveBytes: number;
  readonly sampledObjects: number | undefined;
  readonly stacks: number;
  readonly javascriptShare: number | undefined;
  readonly namedShare: number | undefined;
  readonly sampleBytes: number | undefined;
}

const percent = (share: number) => `${(share * 100).toFixed(share > 0.995 && share < 1 ? 1 : 0)} %`;

/** One clause about what a capture holds. */
export function describeCapture(figures: CaptureFigures, isNode: boolean): string {
  const { liveBytes, sampledObjects, stacks, javascriptShare, namedShare, sampleBytes } = figures;
  if (stacks === 0 || liveBytes === 0) {
    const distance = sampleBytes === undefined ? '' : ` (one sample per ${formatBytes(sampleBytes)} allocated)`;
    return `nothing that is still held was sampled${distance}`;
  }
  const share = isNode ? javascriptShare : namedShare;
  const what = isNode ? 'with a JavaScript function' : 'with a named function';
  const sampled = sampledObjects === undefined ? '' : `, estimated from ${Math.round(sampledObjects)} samples`;
  const named = share === undefined ? '' : `, ${percent(share)} of the bytes ${what}`;
  return `about ${formatBytes(liveBytes)} held${sampled} on ${stacks} ${stacks === 1 ? 'stack' : 'stacks'}${named}`;
}
