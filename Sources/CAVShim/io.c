#include "CAVShim.h"

#include <libavutil/avstring.h>
#include <libavutil/mem.h>

AVIOContext *cav_io_alloc(int buffer_size, int writable, void *opaque, cav_read_function read,
                          cav_write_function write, cav_seek_function seek) {
    uint8_t *buffer = av_malloc(buffer_size);
    if (!buffer) return NULL;
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    AVIOContext *io = avio_alloc_context(buffer, buffer_size, writable, opaque, read, write, seek);
#else
    AVIOContext *io = avio_alloc_context(buffer, buffer_size, writable, opaque, read,
                                         (int (*)(void *, uint8_t *, int))write, seek);
#endif
    if (!io) av_free(buffer);
    return io;
}

void cav_io_free(AVIOContext **io) {
    if (!io || !*io) return;
    av_freep(&(*io)->buffer);
    avio_context_free(io);
}

static _Thread_local char refused_name[512];
static _Thread_local char taken_name[512];

static int refuse(AVFormatContext *context, AVIOContext **io, const char *url, int flags, AVDictionary **options) {
    av_strlcpy(refused_name, url ? url : "?", sizeof refused_name);
    return AVERROR(EPERM);
}

void cav_refuse_nested_io(AVFormatContext *context) { context->io_open = refuse; }

const char *cav_take_refused_name(void) {
    av_strlcpy(taken_name, refused_name, sizeof taken_name);
    refused_name[0] = 0;
    return taken_name;
}
