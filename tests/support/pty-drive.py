"""Drives a program on a terminal of its own. argv: steps as JSON, then the command. Steps, in order:
{"expect": REGEX} waits until what was shown since the last step that acted matches; {"type": TEXT}; {"resize": [COLUMNS, LINES]}; {"signal": NUMBER};
{"hangup": true} takes the terminal away. Then waits for the program's end and prints as JSON how it ended, what it showed until each expected text and in all, and whether the terminal has the modes it had."""
import fcntl, json, os, re, select, struct, sys, termios, time

steps = json.loads(sys.argv[1])
master, slave = os.openpty()


def resize(columns, lines):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))


resize(100, 24)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in range(3):
        os.dup2(slave, descriptor)
    os.close(master)
    os.close(slave)
    os.execvp(sys.argv[2], sys.argv[2:])

output = ''
mark = 0
seen = []
failed = None
status = None
connected = True
deadline = time.monotonic() + float(os.environ.get('PTY_SECONDS', '20'))


def turn():
    global output, status
    readable, _, _ = select.select([master] if connected else [], [], [], 0.02)
    if readable:
        output += os.read(master, 65536).decode(errors='replace')
    elif status is None:
        ended, code = os.waitpid(pid, os.WNOHANG)
        if ended:
            status = code
    return bool(readable)


for step in steps:
    if 'expect' in step:
        while not re.search(step['expect'], output[mark:], re.S):
            if time.monotonic() > deadline or (status is not None and not turn()):
                failed = step['expect']
                break
            turn()
        seen.append(output[mark:])
        if failed:
            break
        continue
    mark = len(output)
    if 'type' in step:
        os.write(master, step['type'].encode())
    elif 'resize' in step:
        resize(*step['resize'])
    elif 'signal' in step:
        os.kill(pid, step['signal'])
    elif 'hangup' in step:
        os.close(slave)
        os.close(master)
        connected = False
while status is None and time.monotonic() < deadline:
    turn()
late = status is None
if late:
    os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
while turn():
    pass
print(json.dumps({
    'code': os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
    'signal': os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
    'failed': failed or ('it did not end' if late else None),
    'sameModes': connected and termios.tcgetattr(slave) == before,
    'seen': seen,
    'output': output,
}))
