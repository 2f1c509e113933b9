#define _GNU_SOURCE
#include "CAVShim.h"

#include <pthread.h>

void cav_thread_set_name(const char *name) { pthread_setname_np(pthread_self(), name); }
