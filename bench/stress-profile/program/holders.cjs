// Functions that hold memory and say so in their names: `exactSort_s98304` holds blocks of 98,304 bytes and no others.
const vm = require('node:vm');

/** Sizes that are size classes of jemalloc, so that a profile shows them as they are. */
const SIZES = [40960, 49152, 57344, 81920, 98304, 114688, 163840, 196608];

// biome-ignore lint/security/noGlobalEval: code that is made by eval is what is wanted.
const evaluate = globalThis.eval;

/** More bytecode than V8 folds into a caller: such a function stays a frame in every tier. */
const WORK = Array.from({ length: 80 }, (_, at) => `sum = Math.imul(sum ^ ${at + 1}, 7 + ${at});`).join(' ');
const body = (size) => `let sum = 1; ${WORK}
  if (holds) { const block = Buffer.allocUnsafeSlow(${size}); block[0] = sum; keep(block); }
  return sum;`;

const sourceOf = (name, size) => `(function ${name}_s${size}(keep, holds) { ${body(size)} })`;

/** A function of this name, compiled anew. */
const makeHolder = (name, size) => evaluate(sourceOf(name, size));

/** Ways to be called. Each gives a function of `(keep, holds)` whose frame has the name. */
const FORMS = {
  Plain: (name, size) => makeHolder(name, size),
  Constructed: (name, size) => new Function(`return ${sourceOf(name, size)}`)(),
  Method: (name, size) => {
    const Holder = evaluate(`(class Holder { ${name}_s${size}(keep, holds) { ${body(size)} } })`);
    const object = new Holder();
    return (keep, holds) => object[`${name}_s${size}`](keep, holds);
  },
  Generator: (name, size) => {
    const make = evaluate(`(function* ${name}_s${size}(keep, holds) { yield 1; ${body(size)} })`);
    return (keep, holds) => Array.from(make(keep, holds));
  },
  Async: (name, size) => evaluate(`(async function ${name}_s${size}(keep, holds) { await null; ${body(size)} })`),
  AsyncGenerator: (name, size) => {
    const make = evaluate(`(async function* ${name}_s${size}(keep, holds) { yield 1; ${body(size)} })`);
    return async (keep, holds) => {
      for await (const _ of make(keep, holds));
    };
  },
  Context: (name, size) => vm.runInContext(sourceOf(name, size), vm.createContext({ Buffer, Math })),
  Sort: (name, size) => {
    const hold = makeHolder(name, size);
    return (keep, holds) => {
      let first = true;
      [2, 1].sort((a, b) => {
        hold(keep, holds && first);
        first = false;
        return a - b;
      });
    };
  },
  Reviver: (name, size) => {
    const hold = makeHolder(name, size);
    return (keep, holds) => JSON.parse('1', () => hold(keep, holds));
  },
  // More frames below it than a stack in a profile has.
  Deep: (name, size) => {
    const hold = makeHolder(name, size);
    const down = (depth, keep, holds) => (depth === 0 ? hold(keep, holds) : down(depth - 1, keep, holds) + 1);
    return (keep, holds) => down(300, keep, holds);
  },
  Microtask: (name, size) => {
    const hold = makeHolder(name, size);
    return (keep, holds) => new Promise((done) => queueMicrotask(() => done(hold(keep, holds))));
  },
};

/** A module that calls `env.call` (export `through`), and one that calls itself for ever (`overflow`). */
const WASM = new WebAssembly.Module(
  Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 4, 1, 0x60, 0, 0],
    ...[2, 12, 1, 3, ...Buffer.from('env'), 4, ...Buffer.from('call'), 0, 0],
    ...[3, 3, 2, 0, 0],
    ...[7, 22, 2, 7, ...Buffer.from('through'), 0, 1, 8, ...Buffer.from('overflow'), 0, 2],
    ...[10, 11, 2, 4, 0, 0x10, 0, 0x0b, 4, 0, 0x10, 2, 0x0b],
  ]),
);
const instantiate = (call) => new WebAssembly.Instance(WASM, { env: { call } }).exports;

FORMS.Wasm = (name, size) => {
  const hold = makeHolder(name, size);
  return (keep, holds) => instantiate(() => void hold(keep, holds)).through();
};

/** Forms through an add-on without unwind tables and without frame pointers. */
function addonForms(addon) {
  return {
    // The block is the add-on's own; the function has no other.
    Addon: (name, size) => {
      const hold = evaluate(`(addon) => function ${name}_s${size}(keep, holds) {
        let sum = 1; ${WORK}
        if (holds) { addon.hold(${size}); keep(undefined); }
        return sum;
      }`)(addon);
      return hold;
    },
    Called: (name, size) => {
      const hold = makeHolder(name, size);
      return (keep, holds) => addon.call(() => hold(keep, holds));
    },
  };
}

module.exports = { SIZES, FORMS, addonForms, instantiate, makeHolder };
