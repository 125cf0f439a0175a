// Undecayed pages: a burst is over, everything was freed, and jemalloc keeps the pages because it is not called any more. With a background
// thread (`jem run`'s default preset has one) they would go back by themselves.
import { createMemory } from 'jemkit';
import { collect } from './collect.mjs';

createMemory();
let burst = Array.from({ length: 3000 }, (_, i) => Buffer.allocUnsafeSlow(65_536).fill(i));
console.log(`${burst.length} uploads handled`);
burst = undefined;
await collect();
console.log('ready');
setInterval(() => burst, 60_000);
