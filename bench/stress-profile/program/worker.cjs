// A thread that does a few things and ends in the way it is told.
const { workerData } = require('node:worker_threads');
const { EVERYWHERE } = require('./activities.cjs');
const { addonForms, FORMS, SIZES } = require('./holders.cjs');
const { openRandom } = require('./random.cjs');

const { end, addonPath, seed } = workerData;
const random = openRandom(seed);
const addon = addonPath === undefined ? undefined : require(addonPath);

(async () => {
  const forms = { ...FORMS, ...(addon ? addonForms(addon) : {}) };
  // Terminated ones do not come to an end by themselves.
  for (let left = end === 'terminate' ? 1000 : 2 + random.below(3); left > 0; left--) {
    await random.pick(Object.values(EVERYWHERE))({ ...random, addon });
    const form = random.pick(Object.keys(forms));
    await forms[form](`worker${form}`, random.pick(SIZES))(() => {}, true);
  }
  if (end === 'throw') throw new Error('on purpose');
  if (end === 'exit') process.exit(6);
})();
