/* Starts a program under system call filters: `filtered FILTER... -- PROGRAM [ARGUMENT...]`. Each FILTER is one of its own: `allow`, or
 * `ACTION:CALL,CALL...` for an action of kill (the process), kill-thread, eperm, enosys. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

int main(int argc, char **argv) {
  int at = 1;
  for (; at < argc && strcmp(argv[at], "--") != 0; at++) add_filter(argv[at], 0);
  if (argc - at < 2) return 98;
  execvp(argv[at + 1], argv + at + 1);
  return 99;
}
