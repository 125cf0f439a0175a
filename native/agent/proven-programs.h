/* Programs in which the agent was shown to do no harm, by the names of their executables; a version may follow (`ruby3.1`). With
 * JEMKIT_AGENT=auto it starts in these alone. A program is added here together with a test that runs it under load.
 *
 * Python is not here, although it is tested: from 3.12 on os.fork() warns where a process has a second thread. Nor are programs that make
 * themselves a sandbox (browsers, bwrap, podman): unshare(CLONE_NEWUSER) fails where there is a second thread. */
#ifndef JM_PROVEN_PROGRAMS_H
#define JM_PROVEN_PROGRAMS_H

static const char *const jm_proven_programs[] = {
    "java",
    "mariadbd",
    "nginx",
    "node",
    /* Debian's redis-server is a link to it. */
    "redis-check-rdb",
    "redis-server",
    "ruby",
};

/* Programs that a second thread breaks, which therefore never get an agent: they make name spaces or sandboxes, which only a process of one
 * thread may, or change what one thread may do before they change the user, so that the C library finds its threads disagreeing and
 * aborts. What they start is another program, and has its own agent. */
static const char *const jm_unfit_programs[] = {
    "buildah", "bwrap",  "capsh",    "chrome", "chrome-headless-shell", "chromium", "crun", "electron",
    "firejail", "newgidmap", "newuidmap", "nsenter", "podman", "runc", "setpriv", "unshare",
};

#endif
