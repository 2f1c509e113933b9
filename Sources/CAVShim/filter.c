#include "CAVShim.h"

#include <libavutil/mem.h>

// Colour entered AVBufferSrcParameters and the sink's getters in lavfi 9.16 (FFmpeg 7.0).
#define HAS_COLOR (LIBAVFILTER_VERSION_INT >= AV_VERSION_INT(9, 16, 100))

int cav_source_configure(AVFilterContext *source, const cav_source_parameters *p) {
    AVBufferSrcParameters *set = av_buffersrc_parameters_alloc();
    if (!set) return AVERROR(ENOMEM);
    set->format = p->format;
    set->time_base = p->time_base;
    set->width = p->width;
    set->height = p->height;
    set->sample_aspect_ratio = p->sample_aspect_ratio;
    set->frame_rate = p->frame_rate;
    set->sample_rate = p->sample_rate;
#if HAS_COLOR
    set->color_space = p->color_space;
    set->color_range = p->color_range;
#endif
    int result = 0;
    if (p->channel_layout) result = av_channel_layout_copy(&set->ch_layout, p->channel_layout);
    if (result >= 0) result = av_buffersrc_parameters_set(source, set);
    av_channel_layout_uninit(&set->ch_layout);
    av_free(set);
    return result;
}

int cav_sink_color(const AVFilterContext *sink, int *color_space, int *color_range) {
#if HAS_COLOR
    *color_space = av_buffersink_get_colorspace(sink);
    *color_range = av_buffersink_get_color_range(sink);
    return 1;
#else
    return 0;
#endif
}
