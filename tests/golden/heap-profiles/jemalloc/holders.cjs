const zlib = require('zlib'); const held = [];
function holdBuffers() { for (let i = 0; i < 300; i++) held.push(Buffer.allocUnsafeSlow(100000)); }
function holdZlib() { for (let i = 0; i < 40; i++) held.push(zlib.createGzip()); }
holdBuffers(); holdZlib();
