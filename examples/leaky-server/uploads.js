import { createHash } from 'node:crypto';

/** Uploads of the last minutes, so that one that is sent twice is recognised. Nothing is ever taken out: this is the leak. */
const remembered = new Map();

function rememberRequest(tag, body) {
  // A copy of its own: the body's memory is used again for the next request.
  const copy = Buffer.from(body);
  remembered.set(`${Date.now()}-${remembered.size}-${tag}`, copy);
}

/** Takes an upload and answers with its tag. */
export function answerUpload(_request, response, body) {
  const tag = createHash('sha1').update(body).digest('base64url');
  rememberRequest(tag, body);
  response.end(`${tag}\n`);
}
