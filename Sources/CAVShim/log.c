// libav logs from threads of its own, and a callback that entered Swift could wait for a lock that the thread's
// owner holds. So lines go into a bounded ring without locks (Dmitry Vyukov's bounded MPMC queue), which Swift
// drains when it likes. A full ring drops the line and counts it.
#include "CAVShim.h"

#include <libavutil/avstring.h>
#include <stdatomic.h>
#include <string.h>

#define SLOTS 1024u

typedef struct slot {
    atomic_uint_least64_t sequence;
    cav_log_line line;
} slot;

static slot ring[SLOTS];
static atomic_uint_least64_t head, tail, lost;
static atomic_int maximum_level = AV_LOG_WARNING;
static atomic_flag installed = ATOMIC_FLAG_INIT;
static _Thread_local uint64_t thread_job;

/// The nearest mark on the way from a logging context to its parents.
static uint64_t job_of(void *context) {
    for (int depth = 0; context && depth < 8; depth++) {
        const AVClass *class = *(const AVClass **)context;
        if (!class || !class->class_name) break;
        void *mark = NULL;
        if (!strcmp(class->class_name, "AVCodecContext")) {
            mark = ((AVCodecContext *)context)->opaque;
        } else if (!strcmp(class->class_name, "AVFormatContext")) {
            mark = ((AVFormatContext *)context)->opaque;
        } else if (!strcmp(class->class_name, "AVFilterGraph")) {
            mark = ((AVFilterGraph *)context)->opaque;
        } else if (!strcmp(class->class_name, "AVFilter")) {
            AVFilterGraph *graph = ((AVFilterContext *)context)->graph;
            mark = graph ? graph->opaque : NULL;
        }
        if (mark) return (uint64_t)(uintptr_t)mark;
        if (!class->parent_log_context_offset) break;
        context = *(void **)((uint8_t *)context + class->parent_log_context_offset);
    }
    return thread_job;
}

static void push(uint64_t job, int level, const char *name, const char *text) {
    uint64_t position = atomic_load_explicit(&head, memory_order_relaxed);
    for (;;) {
        slot *s = &ring[position % SLOTS];
        int64_t turn = (int64_t)(atomic_load_explicit(&s->sequence, memory_order_acquire) - position);
        if (turn == 0) {
            if (atomic_compare_exchange_weak_explicit(&head, &position, position + 1, memory_order_relaxed,
                                                      memory_order_relaxed)) {
                s->line.job = job;
                s->line.level = level;
                size_t at = 0;
                // Contexts without a codec, such as a parser's, are named so.
                if (name && *name && strcmp(name, "NULL")) {
                    at = av_strlcpy(s->line.text, name, sizeof s->line.text - 2);
                    if (at > sizeof s->line.text - 3) at = sizeof s->line.text - 3;
                    s->line.text[at++] = ':';
                    s->line.text[at++] = ' ';
                }
                av_strlcpy(s->line.text + at, text, sizeof s->line.text - at);
                atomic_store_explicit(&s->sequence, position + 1, memory_order_release);
                return;
            }
        } else if (turn < 0) {
            atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
            return;
        } else {
            position = atomic_load_explicit(&head, memory_order_relaxed);
        }
    }
}

static void callback(void *context, int level, const char *format, va_list arguments) {
    level &= 0xff;
    if (level > atomic_load_explicit(&maximum_level, memory_order_relaxed)) return;
    char text[480];
    int prefix = 0;  // the prefix holds an address, of use to nobody
    av_log_format_line2(context, level, format, arguments, text, sizeof text, &prefix);
    size_t length = strlen(text);
    while (length && (text[length - 1] == '\n' || text[length - 1] == '\r' || text[length - 1] == ' '))
        text[--length] = 0;
    if (!length) return;
    const AVClass *class = context ? *(const AVClass **)context : NULL;
    push(job_of(context), level, class && class->item_name ? class->item_name(context) : NULL, text);
}

void cav_log_install(int level) {
    atomic_store(&maximum_level, level);
    if (atomic_flag_test_and_set(&installed)) return;
    for (uint64_t i = 0; i < SLOTS; i++) atomic_store(&ring[i].sequence, i);
    av_log_set_level(level);
    av_log_set_callback(callback);
}

int cav_log_take(cav_log_line *line) {
    uint64_t position = atomic_load_explicit(&tail, memory_order_relaxed);
    slot *s = &ring[position % SLOTS];
    if (atomic_load_explicit(&s->sequence, memory_order_acquire) != position + 1) return 0;
    *line = s->line;
    atomic_store_explicit(&s->sequence, position + SLOTS, memory_order_release);
    atomic_store_explicit(&tail, position + 1, memory_order_relaxed);
    return 1;
}

uint64_t cav_log_lost(void) { return atomic_load(&lost); }
void cav_log_set_thread_job(uint64_t job) { thread_job = job; }
void cav_log_write(void *context, int level, const char *text) { av_log(context, level, "%s\n", text); }
