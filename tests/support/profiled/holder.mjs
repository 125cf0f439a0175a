// Holds Buffers of one function until it is told to end: stdin's end, or a signal. Prints 'ready' when it holds them.
const kept = [];
function holdBuffers(count) {
  for (let i = 0; i < count; i++) kept.push(Buffer.alloc(20_000 + (i % 7), 1));
}
holdBuffers(1000);
const timer = setInterval(() => holdBuffers(20), 20);
console.log('ready');
process.stdin.resume().on('end', () => clearInterval(timer));
