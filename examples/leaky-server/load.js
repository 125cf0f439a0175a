// Sends requests to the server: node load.js URL [how many] [a file to send]
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [url, count = '300', file] = process.argv.slice(2);
if (!url) {
  console.error('usage: node load.js URL [how many] [a file to send]');
  process.exit(2);
}
const body = file ? readFileSync(file) : randomBytes(100_000);
for (let request = 0; request < Number(count); request++) {
  const response = await fetch(`${url}/?v=${Math.random()}`, { method: 'POST', body });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
}
console.log(`${count} requests of ${body.length} bytes`);
