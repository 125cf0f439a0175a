// Under v8-code-malloc.c: isolates that start and end, in the middle of things, while every malloc asks for V8's events. argv: how many workers; the bytes of the block
// from which on it asks.
const { isMainThread, Worker } = require('node:worker_threads');

function work(milliseconds) {
  const ends = Date.now() + milliseconds;
  let held = [];
  while (Date.now() < ends) {
    for (let at = 0; at < 50; at++) {
      held.push(Buffer.allocUnsafeSlow(3000 + at), JSON.parse(`{"a":[1,2,{"b":"${at}"}]}`));
      // biome-ignore lint/security/noGlobalEval: code that comes and goes
      eval(`(function made${at % 7}() { return Buffer.allocUnsafeSlow(9000); })()`);
    }
    if (held.length > 1000) held = [];
  }
}

if (isMainThread) {
  // Waiters stand in a list whose lock V8 holds while it takes memory for them.
  const places = new Int32Array(new SharedArrayBuffer(4 << 16));
  Buffer.allocUnsafeSlow(Number(process.argv[3]));
  for (let at = 0; at < 500; at++) Atomics.wait(places, at, 0, 0.001);
}
work(isMainThread ? 100 : 40);
if (isMainThread) {
  let [live, started] = [0, 0];
  const go = () => {
    while (live < 3 && started < Number(process.argv[2])) {
      const worker = new Worker(__filename);
      live++;
      if (++started % 3 === 0) setTimeout(() => worker.terminate(), started % 50);
      worker.on('exit', () => {
        live--;
        go();
      });
    }
  };
  go();
  process.on('exit', () => console.log('ended', started));
} else {
  const overflow = () => overflow() + 1;
  try {
    overflow();
  } catch {}
  const deep = (depth) => (depth ? deep(depth - 1) + 1 : Buffer.allocUnsafeSlow(5000).length);
  deep(1000);
}
