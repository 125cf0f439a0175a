// V8's heap: a cache of plain objects that nothing bounds. No allocator changes this part.
import { createMemory } from 'jemkit';

createMemory();
const cache = new Map();
for (let id = 0; id < 700_000; id++) cache.set(`user ${id}`, { id, name: `name ${id}`, roles: ['reader', 'writer'] });
console.log('ready');
setInterval(() => cache.size, 60_000);
