// What libass asks of C: its messages arrive as a format and a va_list, which Swift cannot take part in.
#ifndef CASSSHIM_H
#define CASSSHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ass_library;

/// A bounded buffer of libass's messages. Its own lock makes every function safe to call from any thread.
typedef struct cass_log cass_log;

/// One message. `level` is libass's: 0 fatal, 1 error, 2 warning, 4 information, 6 verbose.
typedef struct cass_message {
    int level;
    char text[380];
} cass_message;

/// A buffer for `capacity` messages of at most `level`, or NULL without memory. When it is full, new ones are lost.
cass_log *cass_log_create(size_t capacity, int level);
/// Frees the buffer. No library may be attached to it any more.
void cass_log_free(cass_log *log);
/// Sends the library's messages into the buffer for the rest of the library's life.
void cass_log_attach(cass_log *log, struct ass_library *library);
/// Takes the oldest message out. Returns 0 when there is none.
int cass_log_take(cass_log *log, cass_message *message);
/// How many messages were lost to a full buffer so far.
uint64_t cass_log_lost(cass_log *log);

#ifdef __cplusplus
}
#endif

#endif
