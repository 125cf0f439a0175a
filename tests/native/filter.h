/* System call filters by words. */
struct filtered_call {
  const char *name;
  int number;
};

static const struct filtered_call filtered_calls[] = {
#define CALL(name) {#name, SYS_##name}
    CALL(accept4), CALL(bind), CALL(clock_nanosleep), CALL(clone), CALL(clone3), CALL(close_range), CALL(connect), CALL(epoll_create1), CALL(execve), CALL(fork),
    CALL(futex), CALL(getdents64), CALL(keyctl), CALL(listen), CALL(madvise), CALL(mkdirat), CALL(mount), CALL(mremap), CALL(openat), CALL(pidfd_getfd),
    CALL(pidfd_open), CALL(ppoll), CALL(prctl), CALL(pread64), CALL(process_vm_readv), CALL(ptrace), CALL(readlinkat), CALL(recvfrom), CALL(rseq), CALL(rt_sigprocmask),
    CALL(sendto),
    CALL(setns), CALL(signalfd4), CALL(socket), CALL(tgkill), CALL(umask), CALL(unlinkat), CALL(unshare), CALL(userfaultfd),
};

static unsigned filter_action(const char *word) {
  if (strncmp(word, "kill:", 5) == 0) return SECCOMP_RET_KILL_PROCESS;
  if (strncmp(word, "kill-thread:", 12) == 0) return SECCOMP_RET_KILL_THREAD;
  if (strncmp(word, "eperm:", 6) == 0) return SECCOMP_RET_ERRNO | EPERM;
  if (strncmp(word, "enosys:", 7) == 0) return SECCOMP_RET_ERRNO | ENOSYS;
  fprintf(stderr, "no such filter: %s\n", word);
  _exit(97);
}

/* For the calling thread, or with SECCOMP_FILTER_FLAG_TSYNC for all. */
static void add_filter(const char *word, unsigned long flags) {
  struct sock_filter code[128] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  unsigned short length = 1;
  if (strcmp(word, "allow") != 0) {
    unsigned action = filter_action(word);
    char calls[1024], *rest = calls, *name;
    snprintf(calls, sizeof calls, "%s", strchr(word, ':') + 1);
    while ((name = strsep(&rest, ","))) {
      size_t at = 0, count = sizeof filtered_calls / sizeof *filtered_calls;
      while (at < count && strcmp(filtered_calls[at].name, name) != 0) at++;
      if (at == count || length > 120) {
        fprintf(stderr, "no such call: %s\n", name);
        _exit(96);
      }
      code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filtered_calls[at].number, 0, 1);
      code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    }
  }
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {.len = length, .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) != 0) {
    perror("seccomp");
    _exit(95);
  }
}
