import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answerOfProfiled, applicationFolder } from '../support/profiled-program.js';
import { NODE_MAJORS } from '../support/programs.js';

const KIB = 1024;
const MIB = 2 ** 20;

/**
 * V8 folds small functions that are hot into their callers, and what it tells of that is not exact: these are larger than it takes (460 bytes of bytecode), so that they are frames of
 * their own in interpreted, baseline and optimized code alike.
 */
function holder(name: string): string {
  const work = Array.from({ length: 80 }, (_, at) => `sum = Math.imul(sum ^ ${at + 1}, index + ${at});`).join(' ');
  return `function ${name}(bytes, count) {
    let sum = 1;
    for (let index = 0; index < count; index++) {
      ${work}
      held.push(Buffer.allocUnsafeSlow(bytes).fill(sum));
    }
    return sum;
  }`;
}

const NAMES = ['holdSixty', 'holdThirty', 'holdTen'] as const;
const SHARES = { holdSixty: 0.6, holdThirty: 0.3, holdTen: 0.1 } as const;

/** Shares of the bytes that the three hold, of all that has one of them in its stack. */
const MEASURE = `
  const names = ${JSON.stringify(NAMES)};
  const measure = async () => {
    const { profile } = await profiler.snapshot({ symbols: false });
    const { samples, stacks, frames, strings } = profile;
    const found = Object.fromEntries(names.map((name) => [name, { bytes: 0, sampled: 0 }]));
    for (let at = 0; at < samples.count; at++) {
      const stack = samples.stack[at];
      const own = Array.from(stacks.frames.subarray(stacks.offsets[stack], stacks.offsets[stack + 1]), (frame) => strings[frames.name[frame]]);
      const name = names.find((name) => own.includes(name));
      if (!name) continue;
      found[name].bytes += samples.liveBytes[at];
      found[name].sampled += samples.sampledObjects[at];
    }
    return found;
  };
`;

type Measured = Record<(typeof NAMES)[number], { readonly bytes: number; readonly sampled: number }>;

/** Each is within four deviations of what it really held; a deviation follows from how many objects were sampled. */
function expectTruth(measured: Measured, heldBytes: number): void {
  for (const name of NAMES) {
    const { bytes, sampled } = measured[name];
    const trueBytes = SHARES[name] * heldBytes;
    expect(sampled, name).toBeGreaterThan(5);
    const deviation = trueBytes / Math.sqrt(sampled);
    // What Node keeps beside each Buffer is in the profile too: at most 1 % of these.
    expect(Math.abs(bytes - trueBytes), `${name}: ${bytes} of ${trueBytes}`).toBeLessThan(
      4 * deviation + 0.01 * trueBytes,
    );
  }
}

const HELD_BYTES = 96 * MIB;

/** Calls them in turns, as a program would. */
const holdAll = (blockBytes: number, rounds: number) => `
  for (let round = 0; round < ${rounds}; round++) {
    ${NAMES.map((name) => `${name}(${blockBytes}, ${Math.round((SHARES[name] * HELD_BYTES) / blockBytes / rounds)});`).join(' ')}
  }`;

describe.each(NODE_MAJORS)('60, 30 and 10 %% of the memory on Node %i', (major) => {
  test.each([
    [4 * KIB, 16 * KIB],
    [64 * KIB, 32 * KIB],
    [512 * KIB, 64 * KIB],
  ])('at a sample each %i bytes', async (sampleBytes, blockBytes) => {
    const measured = await answerOfProfiled<Measured>(
      `${NAMES.map(holder).join('\n')}
       ${MEASURE}
       profiler.start({ sampleBytes: ${sampleBytes} });
       ${holdAll(blockBytes, 10)}
       answer(await measure());`,
      { major },
    );
    expectTruth(measured, HELD_BYTES);
  });

  test.each([
    ['interpreted', ['--no-opt', '--no-sparkplug']],
    ['baseline', ['--no-opt', '--always-sparkplug']],
    ['optimized', ['--allow-natives-syntax']],
  ])('of %s code', async (tier, flags) => {
    const optimize =
      tier === 'optimized'
        ? `for (const hold of [${NAMES.join(', ')}]) { %PrepareFunctionForOptimization(hold); hold(8, 2); hold(8, 2); %OptimizeFunctionOnNextCall(hold); hold(8, 2); }`
        : '';
    const measured = await answerOfProfiled<Measured>(
      `${NAMES.map(holder).join('\n')}
       ${MEASURE}
       ${optimize}
       profiler.start({ sampleBytes: 65536 });
       ${holdAll(32 * KIB, 2)}
       answer(await measure());`,
      { major, flags },
    );
    expectTruth(measured, HELD_BYTES);
  });

  test('in workers', async () => {
    const folder = applicationFolder();
    writeFileSync(
      join(folder, 'worker.mjs'),
      `import { parentPort, workerData } from 'node:worker_threads';
       const held = [];
       ${NAMES.map(holder).join('\n')}
       ({ ${NAMES.join(', ')} })[workerData.name](${32 * KIB}, workerData.count);
       parentPort.postMessage(held.length);
       parentPort.once('message', () => {});`,
    );
    const counts = NAMES.map((name) => ({ name, count: Math.round((SHARES[name] * HELD_BYTES) / (32 * KIB)) }));
    const measured = await answerOfProfiled<Measured>(
      `import { Worker } from 'node:worker_threads';
       ${MEASURE}
       profiler.start({ sampleBytes: 65536 });
       await Promise.all(${JSON.stringify(counts)}.map((workerData) => new Promise((resolve, reject) =>
         new Worker('./worker.mjs', { workerData }).on('message', resolve).on('error', reject))));
       await answer(await measure());
       process.exit();`,
      { major, folder, flags: ['--require', 'jemkit/profile'] },
    );
    expectTruth(measured, HELD_BYTES);
  });
});
