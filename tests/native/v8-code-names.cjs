// Calls known functions in turn; each asks for the number of its own frame. At the end every number's name is held against the truth.
// argv: the addon, a mode, a number of rounds. Prints one line of JSON.
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');
const vm = require('node:vm');

const [path, mode, rounds] = isMainThread ? process.argv.slice(2) : workerData;
const addon = require(path);
const taken = [];

// Before V8 is asked to tell: these functions are enumerated.
const early = Array.from({ length: 50 }, (_, at) =>
  vm.runInThisContext(`(function early${at}(stack) { return stack(1)[0]; })`, { filename: `/early ${at}.js` }),
);
for (const one of early) one(() => []);

const refused = addon.listen();
if (refused) throw new Error(`listen: ${refused}`);

function note(name, script, number) {
  taken.push([number, name, script]);
}

const cached = new vm.Script('(function cached(stack) { return stack(1)[0]; })', {
  filename: '/cached.js',
}).createCachedData();

function round(turn) {
  for (let at = 0; at < 50; at++) note(`early${at}`, `/early ${at}.js`, early[at](addon.stack));
  // Made and dropped, so that their addresses are used again; some also grow old enough to be moved.
  for (let at = 0; at < 100; at++) {
    const name = `made${turn % 10}_${at}`;
    const filler = 'x = x * 3 + 1;'.repeat((turn * 7 + at) % 40);
    const file = `/made:${at}.js`;
    const made = vm.runInThisContext(`(function ${name}(stack) { let x = 1; ${filler} return stack(1)[0]; })`, {
      filename: file,
    });
    note(name, file, made(addon.stack));
    kept.push([name, file, made]);
  }
  while (kept.length > 300) kept.splice((turn * 31) % 200, 50);
  for (const [name, file, made] of kept) note(name, file, made(addon.stack));
  // Interpreted first, then by every compiler.
  for (let at = 0; at < 200; at++) {
    const number = tiered(addon.stack, at % 10 === 0);
    if (number) note('tiered', '/tiered.js', number);
  }
  const script = new vm.Script('(function cached(stack) { return stack(1)[0]; })', {
    filename: '/cached.js',
    cachedData: cached,
  });
  note('cached', '/cached.js', script.runInThisContext()(addon.stack));
  note('', __filename, (() => addon.stack(1)[0])());
  note('get blank', __filename, blank.blank);
  note('with blanks: and/colons', __filename, blank['with blanks: and/colons']());
  if (mode === 'collect') global.gc();
}
const kept = [];
const blank = {
  get blank() {
    return addon.stack(1)[0];
  },
  'with blanks: and/colons'() {
    return addon.stack(1)[0];
  },
};
// Too long to be folded into its caller, where it has no frame of its own.
const tiered = vm.runInThisContext(
  `(function tiered(stack, ask) {
    let sum = 0;
    for (let at = 0; at < 300; at++) { ${'sum += ask ^ at; sum ^= at * 3; '.repeat(60)} }
    return ask ? stack(1)[0] : sum === 0.5 ? sum : 0;
  })`,
  { filename: '/tiered.js' },
);

function check() {
  const frames = new Map(
    addon
      .frames()
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
      .map((fields) => [parseInt(fields[0].slice(-8), 16), fields]),
  );
  const result = { taken: 0, right: 0, unnamed: 0, wrong: [] };
  for (const [number, name, script] of taken) {
    result.taken++;
    const frame = frames.get(number);
    if (!frame) result.unnamed++;
    else if (frame[8] === name && frame[9] === script) result.right++;
    else result.wrong.push([name, script, frame.join(' ')].join(' | '));
  }
  result.wrong.length = Math.min(result.wrong.length, 5);
  return result;
}

for (let turn = 0; turn < Number(rounds); turn++) round(turn);
if (isMainThread && mode === 'workers') {
  const all = [check()];
  let left = 6;
  const start = () => {
    if (left-- <= 0) return;
    const worker = new Worker(__filename, { workerData: [path, 'collect', rounds] });
    worker.on('message', (result) => all.push(result));
    worker.on('exit', start);
  };
  start();
  start();
  process.on('exit', () => {
    const sum = { taken: 0, right: 0, unnamed: 0, wrong: [] };
    for (const one of all) {
      for (const key of ['taken', 'right', 'unnamed']) sum[key] += one[key];
      sum.wrong.push(...one.wrong);
    }
    console.log(JSON.stringify({ ...sum, threads: all.length, count: addon.count() }));
  });
} else if (isMainThread) console.log(JSON.stringify({ ...check(), count: addon.count() }));
else parentPort.postMessage(check());
