// Takes stacks of functions that the optimizers fold into each other, and holds them against V8's own of an Error. argv: the addon. Prints one line of JSON.
const addon = require(process.argv[2]);
const taken = [];
const refused = addon.listen();
if (refused) throw new Error(`listen: ${refused}`);

function probe() {
  taken.push([addon.stack(), new Error().stack]);
}
function inner(value, ask) {
  if (ask) probe();
  return value + 1;
}
function middle(value, ask) {
  const doubled = inner(value, ask) * 2;
  return doubled + inner(value + 1, false);
}
function outer(count, ask) {
  let sum = 0;
  for (let at = 0; at < count; at++) sum += middle(at, ask && at === 5);
  return sum;
}
function top(ask) {
  return outer(100, ask) + [1].map((value) => inner(value, ask))[0];
}

const ends = Date.now() + 60_000;
Error.stackTraceLimit = 20;
Error.prepareStackTrace = (_, sites) =>
  sites.map((site) => [site.getFunctionName() ?? '', site.getPosition(), site.getFileName()]);
top(true);
for (let round = 0; round < 12; round++) {
  // Until the compilers, which work beside this, have come to it.
  for (const until = Math.min(Date.now() + 60, ends); Date.now() < until; ) top(false);
  top(true);
}
Error.prepareStackTrace = undefined;

const frames = new Map(
  addon
    .frames()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
    .map((fields) => [parseInt(fields[0].slice(-8), 16), fields]),
);
const result = { stacks: taken.length, folded: 0, exact: 0, withoutPosition: 0, wrong: [] };
for (const [numbers, truth] of taken) {
  const ours = [];
  for (const number of numbers) {
    for (let frame = frames.get(number); frame; frame = frames.get(parseInt(frame[7].slice(-8), 16))) {
      if (frame[9] === __filename) ours.push(frame);
      if (frame[7] === '-') break;
      result.folded++;
    }
  }
  const theirs = truth.filter(([, , file]) => file === __filename);
  if (theirs.length !== ours.length) result.wrong.push([theirs.map(String), ours.map(String)]);
  else
    for (const [at, [name, position]] of theirs.entries()) {
      const frame = ours[at];
      // In the innermost the two were asked for at two places.
      if (frame[8] !== name || (at > 0 && frame[4] !== '-1' && Number(frame[4]) !== position))
        result.wrong.push([String(theirs[at]), String(frame)]);
      else if (frame[4] === '-1') result.withoutPosition++;
      else result.exact++;
    }
}
result.wrong.length = Math.min(result.wrong.length, 5);
console.log(JSON.stringify(result));
