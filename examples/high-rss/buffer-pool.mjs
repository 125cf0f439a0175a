// Buffer pool pinning: small Buffers are cut from a pool, 64 KiB on Node 24, and one that is kept keeps the whole pool. Here one message in 60 is
// kept.
import { createMemory } from 'jemkit';

createMemory();
const kept = [];
for (let batch = 0; process.memoryUsage().arrayBuffers < 96e6; batch++) {
  for (let i = 0; i < 6000; i++) {
    const message = Buffer.from(`message ${batch}/${i} `.padEnd(1000, '.'));
    if (i % 60 === 0) kept.push(message);
  }
}
console.log('ready');
setInterval(() => kept.length, 60_000);
