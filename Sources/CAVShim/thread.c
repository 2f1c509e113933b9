#define _GNU_SOURCE
#include "CAVShim.h"

#include <malloc.h>
#include <pthread.h>

void cav_thread_set_name(const char *name) { pthread_setname_np(pthread_self(), name); }

void cav_limit_arenas(int count) {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, count);
#endif
}
