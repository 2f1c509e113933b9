#include "CAssShim.h"

#include <ass/ass.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct cass_log {
    pthread_mutex_t lock;
    int level;
    size_t capacity, first, count;
    uint64_t lost;
    cass_message messages[];
};

cass_log *cass_log_create(size_t capacity, int level) {
    if (capacity == 0 || capacity > (SIZE_MAX - sizeof(cass_log)) / sizeof(cass_message)) return NULL;
    cass_log *log = calloc(1, sizeof(cass_log) + capacity * sizeof(cass_message));
    if (!log) return NULL;
    if (pthread_mutex_init(&log->lock, NULL) != 0) {
        free(log);
        return NULL;
    }
    log->level = level;
    log->capacity = capacity;
    return log;
}

void cass_log_free(cass_log *log) {
    if (!log) return;
    pthread_mutex_destroy(&log->lock);
    free(log);
}

static void receive(int level, const char *format, va_list arguments, void *context) {
    cass_log *log = context;
    if (level > log->level) return;
    pthread_mutex_lock(&log->lock);
    if (log->count == log->capacity) {
        log->lost++;
    } else {
        cass_message *message = &log->messages[(log->first + log->count) % log->capacity];
        message->level = level;
        if (vsnprintf(message->text, sizeof message->text, format, arguments) < 0) message->text[0] = 0;
        log->count++;
    }
    pthread_mutex_unlock(&log->lock);
}

void cass_log_attach(cass_log *log, struct ass_library *library) {
    ass_set_message_cb(library, receive, log);
}

int cass_log_take(cass_log *log, cass_message *message) {
    pthread_mutex_lock(&log->lock);
    int found = log->count > 0;
    if (found) {
        *message = log->messages[log->first];
        log->first = (log->first + 1) % log->capacity;
        log->count--;
    }
    pthread_mutex_unlock(&log->lock);
    return found;
}

uint64_t cass_log_lost(cass_log *log) {
    pthread_mutex_lock(&log->lock);
    uint64_t lost = log->lost;
    pthread_mutex_unlock(&log->lock);
    return lost;
}
