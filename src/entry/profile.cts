import type Beginning = require('../control/profiler/begin-profile.js');

const { beginProfile }: typeof Beginning = require('../control/profiler/begin-profile.js');

export = {
  /** What loading `jemkit/profile` did in this thread. */
  profiled: beginProfile(),
};
