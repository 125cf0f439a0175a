// Fragmentation: of many blocks that were allocated together a few live on, and each keeps its page. Here sessions that were created in a burst, of
// which one in 14 stays.
import { createMemory } from 'jemkit';
import { collect } from './collect.mjs';

createMemory();
let sessions = [];
for (let i = 0; i < 120_000; i++) sessions.push(Buffer.allocUnsafeSlow(1700).fill(i));
sessions = sessions.filter((_, i) => i % 14 === 0);
await collect();
console.log('ready');
setInterval(() => sessions.length, 60_000);
