const { heap, encode } = require('@datadog/pprof');
const fs = require('fs');
heap.start(4096, 64);
const held = [];
function holdSixty() { for (let i = 0; i < 3000; i++) held.push({ a: new Array(70).fill(i) }); }
function holdThirty() { for (let i = 0; i < 3000; i++) held.push(new Array(34).fill(i)); }
holdSixty(); holdThirty();
encode(heap.profile()).then((b) => fs.writeFileSync('heap.pb.gz', b));
setTimeout(() => held.length, 100);
