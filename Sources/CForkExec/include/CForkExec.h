#ifndef CFORKEXEC_H
#define CFORKEXEC_H

#include <sys/types.h>

/// Starts a program in a forked process.
///
/// posix_spawn shares the caller's memory until the program is executed, and Linux then counts the caller's peak as
/// the new process's own (exec_mmap in fs/exec.c). A forked process has only what the caller wrote to itself.
///
/// - Parameters:
///   - program: a path, or a name to look for in PATH.
///   - arguments, environment: ended by NULL.
///   - input, output, errors: become the descriptors 0, 1 and 2.
/// - Returns: the process, or -1 with errno. One that cannot execute the program ends with status 127.
pid_t cfe_start(const char *program, char *const arguments[], char *const environment[], int input, int output,
                int errors);

#endif
