// What the profiled program starts: profiled too, as it inherits all.
const kept = [];
const work = () => {
  for (let at = 0; at < 200; at++) kept.push(Buffer.allocUnsafeSlow(5000 + at));
};

switch (process.argv[2]) {
  case 'exit':
    work();
    process.exit(9);
    break;
  case 'talk':
    process.once('message', () => {
      work();
      process.send('done', () => process.exit(11));
    });
    break;
  case 'wait':
    setInterval(work, 5);
    break;
  case 'serve': {
    const server = require('node:http').createServer((_, response) => response.end('x'));
    server.listen(0, '127.0.0.1', () => {
      work();
      process.send('listening');
    });
    break;
  }
}
