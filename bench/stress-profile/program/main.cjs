// The profiled program: does everything in activities.cjs at once until its time is over, says what it holds, waits to be told to end, and ends as it was told.
const fs = require('node:fs');
const { EVERYWHERE, IN_THE_MAIN_THREAD } = require('./activities.cjs');
const { addonForms, FORMS, SIZES } = require('./holders.cjs');
const { openRandom } = require('./random.cjs');

const { seconds, seed, addonPath, sharpPath, library, progress, end, only } = JSON.parse(process.argv[2]);
const random = openRandom(seed);
const addon = addonPath === undefined ? undefined : require(addonPath);
const sharp = sharpPath === undefined ? undefined : require(sharpPath);
const deadline = performance.now() + seconds * 1000;

/** What is under way, for who finds this process hanging: one line for each of the lanes. */
const lanes = ['', '', ''];
function tell(lane, name) {
  lanes[lane] = name;
  fs.writeFileSync(progress, lanes.join('\n'));
}

const activities = Object.entries({ ...EVERYWHERE, ...IN_THE_MAIN_THREAD }).filter(
  ([name]) => only === undefined || only.includes(name),
);
const counts = {};
async function runLane(lane) {
  while (performance.now() < deadline) {
    const [name, activity] = random.pick(activities);
    tell(lane, name);
    await activity({ ...random, addon, addonPath, sharp });
    counts[name] = (counts[name] ?? 0) + 1;
    await new Promise(setImmediate);
  }
  tell(lane, '');
}

const forms = Object.entries({ ...FORMS, ...(addon ? addonForms(addon) : {}) });
const exact = forms.map(([form, make], at) => {
  const size = SIZES[at % SIZES.length];
  return { name: `exact${form}_s${size}`, size, hold: make(`exact${form}`, size), held: 0 };
});
const kept = [];

/** Each of these functions holds a known number of blocks, in whatever tier its code is by then. */
async function runExactLane() {
  while (performance.now() < deadline) {
    const one = random.pick(exact);
    tell(2, one.name);
    // Even a sampled profile has every block of this size, at a sample each KiB.
    if (one.held < 30) {
      for (let turn = random.below(400); turn > 0; turn--) await one.hold(undefined, false);
      await one.hold((block) => kept.push(block), true);
      one.held++;
    }
    await new Promise((done) => setTimeout(done, random.below(20)));
  }
  tell(2, '');
}

/** Profiling that comes and goes, from inside. What is held in between is not in the profile: it is held while profiling is on. */
async function startFromInside() {
  const { profiler } = await import(library);
  const start = () => {
    const started = profiler.start();
    if (started.kind !== 'profiling') throw new Error(`profiler.start(): ${JSON.stringify(started)}`);
  };
  start();
  const switching = setInterval(() => {
    for (let turn = random.below(3); turn > 0; turn--) {
      profiler.stop();
      Buffer.allocUnsafeSlow(50_000);
      start();
    }
  }, 50);
  const looking = setInterval(async () => {
    const { profile } = await profiler.snapshot({ symbols: false });
    counts.snapshots = (counts.snapshots ?? 0) + (profile.samples.count > 0 ? 1 : 0);
  }, 8000);
  return () => {
    clearInterval(switching);
    clearInterval(looking);
  };
}

const hearEnd = () => new Promise((done) => process.stdin.once('data', done).once('end', done));

(async () => {
  const stopSwitching = library === undefined ? () => {} : await startFromInside();
  addon?.interrupt(700);
  await Promise.all([runLane(0), runLane(1), runExactLane()]);
  counts.realTimeSignals = addon?.interrupt(0);
  stopSwitching();
  const holding = exact.map(({ name, size, held }) => ({ name, size, held }));
  process.stdout.write(`${JSON.stringify({ counts, holding })}\n`);
  await hearEnd();
  process.stdin.destroy();
  switch (end) {
    case 'exit':
      process.exit(42);
      break;
    case 'throw':
      throw new Error('the end, on purpose');
    case 'signal':
      process.kill(process.pid, 'SIGTERM');
      break;
    default:
      process.exitCode = 43;
  }
})();
