"""Runs a command on a terminal of its own. Types Ctrl-C (or what TYPE holds) when the command has written 'ready', and prints how it ended as JSON."""
import json, os, pty, sys, termios

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
before = termios.tcgetattr(terminal)
output = b''
typed = False
during = None
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    output += chunk
    if not typed and b'ready' in output:
        typed = True
        during = termios.tcgetattr(terminal)
        os.write(terminal, os.environ.get('TYPE', '\x03').encode())
_, status = os.waitpid(pid, 0)
print(json.dumps({
    'signal': os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
    'code': os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
    'sameModes': during == before,
    'output': output.decode(errors='replace'),
}))
