#define _GNU_SOURCE
#include "CForkExec.h"

#include <signal.h>
#include <unistd.h>

pid_t cfe_start(const char *program, char *const arguments[], char *const environment[], int input, int output,
                int errors) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    // Threads of a pool block signals, and a program inherits that: it could not be told to end.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // Only calls that are safe between fork and exec: other threads' locks may be held for ever.
    if (dup2(input, 0) >= 0 && dup2(output, 1) >= 0 && dup2(errors, 2) >= 0) execvpe(program, arguments, environment);
    _exit(127);
}
