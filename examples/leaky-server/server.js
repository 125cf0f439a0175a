// A small service with a leak of your choice: node examples/leaky-server [uploads|previews|orders]. README.md says what each does.
import { createServer } from 'node:http';
import { answerUpload } from './uploads.js';

const MAXIMUM_BODY_BYTES = 16 << 20;

/** How each kind answers a request with its body. Loaded when it is asked for: previews need sharp, which you may not have. */
const KINDS = {
  uploads: async () => answerUpload,
  previews: async () => (await import('./previews.js')).answerPreview,
  orders: async () => (await import('./orders.js')).answerOrders,
};

async function readBody(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAXIMUM_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const kind = process.argv[2] ?? 'uploads';
if (!Object.hasOwn(KINDS, kind)) {
  console.error(`there is no '${kind}' (expected ${Object.keys(KINDS).join(', ')})`);
  process.exit(2);
}
const answer = await KINDS[kind]();

const server = createServer(async (request, response) => {
  try {
    const body = await readBody(request);
    if (body === undefined) {
      response.writeHead(413);
      response.end();
    } else await answer(request, response, body);
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    response.end();
  }
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

function stop() {
  server.close(() => process.exit(0));
  server.closeAllConnections();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
