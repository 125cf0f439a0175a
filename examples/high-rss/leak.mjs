// Native live memory: request bodies that something still holds. Each is a Buffer, outside V8's heap: heapUsed stays flat while RSS grows.
import { createMemory } from 'jemkit';

createMemory();
const audit = [];
const receive = (bytes) => audit.push({ at: Date.now(), body: Buffer.allocUnsafeSlow(bytes).fill(1) });

while (audit.length < 2700) receive(57_344);
console.log('ready');
setInterval(() => receive(57_344), 50);
