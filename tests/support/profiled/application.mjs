// A service as many are: fastify, pictures through sharp, a database, compressed answers, passwords. Prints its port; ends when its stdin does.
import { createHash, randomBytes, scrypt } from 'node:crypto';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { brotliCompressSync, constants, gzip, gzipSync } from 'node:zlib';
import fastify from 'fastify';
import sharp from 'sharp';

const require = createRequire(import.meta.url);

/** better-sqlite3 is compiled for one version of Node; the later ones have a database of their own. */
function openDatabase() {
  if (process.versions.modules === '115') return new (require('better-sqlite3'))(':memory:');
  return new (process.getBuiltinModule('node:sqlite').DatabaseSync)(':memory:');
}

const database = openDatabase();
database.exec('CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT, body TEXT, digest BLOB)');
database.exec('CREATE TABLE pictures (id INTEGER PRIMARY KEY, preview BLOB)');
const insertArticle = database.prepare('INSERT INTO articles (title, body, digest) VALUES (?, ?, ?)');
const selectArticles = database.prepare('SELECT * FROM articles WHERE id > ? ORDER BY title LIMIT 200');
const insertPicture = database.prepare('INSERT INTO pictures (preview) VALUES (?)');
const selectPicture = database.prepare('SELECT preview FROM pictures WHERE id = ?');

const pages = new Map();
const sessions = new Map();

function writeArticles(count) {
  for (let at = 0; at < count; at++) {
    const body = randomBytes(600).toString('base64');
    insertArticle.run(`Article ${at}`, body, createHash('sha256').update(body).digest());
  }
}

function renderArticles(from) {
  const rows = selectArticles.all(from);
  return JSON.stringify(
    rows.map(({ id, title, body, digest }) => ({ id, title, body, digest: Buffer.from(digest).toString('hex') })),
  );
}

function showPage(from) {
  const known = pages.get(from);
  if (known) return known;
  const page = gzipSync(renderArticles(from));
  pages.set(from, page);
  return page;
}

async function makePreview(picture) {
  const image = sharp(picture).resize(320, 240).sharpen();
  const [jpeg, raw] = await Promise.all([image.clone().jpeg().toBuffer(), image.clone().raw().toBuffer()]);
  return { id: Number(insertPicture.run(jpeg).lastInsertRowid), rawBytes: raw.length };
}

async function openSession(name, password) {
  const key = await promisify(scrypt)(password, name, 64, { N: 1024 });
  const id = randomBytes(16).toString('hex');
  sessions.set(id, { key, seen: [Buffer.alloc(8192)] });
  return id;
}

const app = fastify({ bodyLimit: 16 << 20 });
app.addContentTypeParser('image/png', { parseAs: 'buffer' }, async (_request, body) => body);
app.get('/articles', async (request, reply) => {
  reply.header('content-encoding', 'gzip').type('application/json');
  return showPage(Number(request.query.from));
});
app.get('/export', async (request, reply) => {
  reply.header('content-encoding', 'gzip').type('application/json');
  return promisify(gzip)(renderArticles(Number(request.query.from)));
});
app.get('/archive', async (request, reply) => {
  reply.header('content-encoding', 'br').type('application/json');
  return brotliCompressSync(renderArticles(Number(request.query.from)), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 2 },
  });
});
app.post('/pictures', async (request) => makePreview(request.body));
app.get('/pictures/:id', async (request, reply) => {
  const { preview } = selectPicture.get(request.params.id);
  return reply.type('image/jpeg').send(Buffer.from(preview));
});
app.post('/sessions', async (request) => ({ id: await openSession(request.body.name, request.body.password) }));

writeArticles(3000);
const address = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(address);
process.stdin.resume().on('end', () => process.exit(0));
