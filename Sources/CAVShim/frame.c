#include "CAVShim.h"

// AV_FRAME_FLAG_KEY, _INTERLACED and _TOP_FIELD_FIRST came with lavu 58.7; the int fields went with lavu 60.
#define HAS_FLAGS (LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100))
#define HAS_DURATION (LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100))

int64_t cav_frame_duration(const AVFrame *frame) {
#if HAS_DURATION
    return frame->duration;
#else
    return frame->pkt_duration;
#endif
}

void cav_frame_set_duration(AVFrame *frame, int64_t duration) {
#if HAS_DURATION
    frame->duration = duration;
#else
    frame->pkt_duration = duration;
#endif
}

int cav_frame_is_key(const AVFrame *frame) {
#if HAS_FLAGS
    return !!(frame->flags & AV_FRAME_FLAG_KEY);
#else
    return frame->key_frame;
#endif
}

int cav_frame_is_interlaced(const AVFrame *frame) {
#if HAS_FLAGS
    return !!(frame->flags & AV_FRAME_FLAG_INTERLACED);
#else
    return frame->interlaced_frame;
#endif
}

int cav_frame_is_top_field_first(const AVFrame *frame) {
#if HAS_FLAGS
    return !!(frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST);
#else
    return frame->top_field_first;
#endif
}

void cav_frame_clear_interlaced(AVFrame *frame) {
#if HAS_FLAGS
    frame->flags &= ~(AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST);
#else
    frame->interlaced_frame = 0;
    frame->top_field_first = 0;
#endif
}

int cav_frame_is_damaged(const AVFrame *frame) {
    return (frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags;
}

uint8_t *cav_frame_plane(const AVFrame *frame, int index, int *stride) {
    if (index < 0) return NULL;
    if (frame->nb_samples > 0) {
        int planes = av_sample_fmt_is_planar(frame->format) ? frame->ch_layout.nb_channels : 1;
        if (index >= planes) return NULL;
        *stride = frame->linesize[0];
        return frame->extended_data[index];
    }
    if (index >= AV_NUM_DATA_POINTERS) return NULL;
    *stride = frame->linesize[index];
    return frame->data[index];
}

size_t cav_frame_bytes(const AVFrame *frame) {
    size_t bytes = 0;
    for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->buf[i]; i++) bytes += frame->buf[i]->size;
    for (int i = 0; i < frame->nb_extended_buf; i++) bytes += frame->extended_buf[i]->size;
    return bytes;
}

int cav_frame_from_pool(AVFrame *frame, AVBufferPool **pools, int *sizes, int count) {
    // One buffer per plane, rows padded to 64 bytes for SIMD; the same layout as av_frame_get_buffer.
    int linesizes[4];
    int result = av_image_fill_linesizes(linesizes, frame->format, FFALIGN(frame->width, 64));
    if (result < 0) return result;
    ptrdiff_t strides[4];
    for (int i = 0; i < 4; i++) strides[i] = linesizes[i] = FFALIGN(linesizes[i], 64);
    size_t plane_sizes[4];
    result = av_image_fill_plane_sizes(plane_sizes, frame->format, FFALIGN(frame->height, 32), strides);
    if (result < 0) return result;
    for (int i = 0; i < 4 && i < count && plane_sizes[i]; i++) {
        int wanted = (int)plane_sizes[i] + 64;
        if (!pools[i] || sizes[i] != wanted) {
            av_buffer_pool_uninit(&pools[i]);
            pools[i] = av_buffer_pool_init(wanted, NULL);
            if (!pools[i]) return AVERROR(ENOMEM);
            sizes[i] = wanted;
        }
        frame->buf[i] = av_buffer_pool_get(pools[i]);
        if (!frame->buf[i]) return AVERROR(ENOMEM);
        frame->data[i] = frame->buf[i]->data;
        frame->linesize[i] = linesizes[i];
    }
    frame->extended_data = frame->data;
    return 0;
}
