import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shortCommand } from '../../../src/analyses/short-command.js';

test.each([
  [['/usr/bin/node', 'server.js', '--token', 'secret'], 'node server.js'],
  [['node', '--max-old-space-size=100', '/app/server.js'], 'node /app/server.js'],
  [['node', '-r', 'dotenv/config', 'server.js'], 'node server.js'],
  [['node', '--require', 'x', '--import', 'y', 'server.js'], 'node server.js'],
  [['node', '-e', 'const key = "secret"'], 'node -e …'],
  [['node'], 'node'],
  [['bash', '-c', 'PASSWORD=secret run'], 'bash -c …'],
  [['bash', '-lc', 'PASSWORD=secret run'], 'bash -lc …'],
  [['-bash'], 'bash'],
  [['sh', '/entry.sh', 'secret'], 'sh /entry.sh'],
  [['/usr/bin/python3.11', '-m', 'http.server', '80'], 'python3.11 -m http.server'],
  [['python3', '-c', 'secret'], 'python3 -c …'],
  [['php', '-r', 'secret'], 'php -r …'],
  [['java', '-Xmx1g', '-Dpassword=secret', '-cp', '/a.jar', 'org.Main', 'secret'], 'java org.Main'],
  [['java', '-jar', '/app.jar', 'secret'], 'java /app.jar'],
  [['curl', 'https://user:secret@host/'], 'curl'],
  [['mysqld', '--password=secret'], 'mysqld'],
  [['nginx: master process /usr/sbin/nginx -g secret'], 'nginx'],
  [['postgres: app secret 10.0.0.1(5) idle', '', ''], 'postgres'],
  [['PM2 v5.3.0: God Daemon (/root/.pm2)'], 'PM2'],
  [[], ''],
])('%j is %s', (argv, expected) => expect(shortCommand(argv)).toBe(expected));

test('an argument that is an option of an unknown program is never shown', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 })), (rest) => {
      expect(shortCommand(['/opt/service', ...rest])).toBe('service');
    }),
  );
});
