// Has interpreted frames read by jemkit and by V8, while code comes, moves and goes. argv: the addon. Prints one line of JSON.
const addon = require(process.argv[2]);
const refused = addon.listen();
if (refused) throw new Error(`listen: ${refused}`);
const result = { known: 0, wrong: 0, met: 0 };

function look() {
  const [known, wrong, met] = addon.interpreted();
  result.known += known;
  result.wrong += wrong;
  result.met += met;
}
const through = {
  plain: (depth) => go(depth - 1),
  values: (depth, ...rest) => [depth, ...rest].map((value) => value && go(depth - 1)).length,
  *made(depth) {
    yield go(depth - 1);
  },
  bind: Function.prototype.bind.call((depth) => go(depth - 1), undefined),
  wrapped(depth) {
    try {
      return Reflect.apply(go, this, [depth - 1]);
    } finally {
      look();
    }
  },
};
let turn = 0;
function go(depth) {
  if (depth <= 0) return look();
  turn += 7;
  const kind = Object.keys(through)[turn % 5];
  if (kind === 'made') return through.made(depth).next();
  return through[kind](depth, turn % 3);
}
for (let round = 0; round < 40; round++) {
  go(round % 6);
  // biome-ignore lint/security/noGlobalEval: code that comes and goes
  eval(`(function made${round}(go) { return go(${round % 4}) ?? ${round}; })`)(go);
  if (round % 8 === 7) globalThis.gc();
  for (let again = 0; again < 3; again++) go(4);
}
console.log(JSON.stringify(result));
