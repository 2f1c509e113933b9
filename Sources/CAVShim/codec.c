#include "CAVShim.h"

// `avcodec_get_supported_config` replaced the fields of AVCodec in lavc 61.13 (FFmpeg 7.1).
#define HAS_SUPPORTED_CONFIG (LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100))

#if HAS_SUPPORTED_CONFIG
static const void *supported(const AVCodec *codec, enum AVCodecConfig config, int *count) {
    const void *list = NULL;
    if (avcodec_get_supported_config(NULL, codec, config, 0, &list, count) < 0 || !list) {
        *count = 0;
        return NULL;
    }
    return list;
}
#define SUPPORTED(field, config, type, is_end) return supported(codec, config, count)
#else
#define SUPPORTED(field, config, type, is_end)      \
    const type *list = codec->field;                \
    int n = 0;                                      \
    for (; list && !(is_end); n++) {}               \
    *count = n;                                     \
    return list
#endif

const enum AVPixelFormat *cav_codec_pixel_formats(const AVCodec *codec, int *count) {
    SUPPORTED(pix_fmts, AV_CODEC_CONFIG_PIX_FORMAT, enum AVPixelFormat, list[n] == AV_PIX_FMT_NONE);
}

const enum AVSampleFormat *cav_codec_sample_formats(const AVCodec *codec, int *count) {
    SUPPORTED(sample_fmts, AV_CODEC_CONFIG_SAMPLE_FORMAT, enum AVSampleFormat, list[n] == AV_SAMPLE_FMT_NONE);
}

const int *cav_codec_sample_rates(const AVCodec *codec, int *count) {
    SUPPORTED(supported_samplerates, AV_CODEC_CONFIG_SAMPLE_RATE, int, list[n] == 0);
}

const AVChannelLayout *cav_codec_channel_layouts(const AVCodec *codec, int *count) {
    SUPPORTED(ch_layouts, AV_CODEC_CONFIG_CHANNEL_LAYOUT, AVChannelLayout, list[n].nb_channels == 0);
}

void cav_encoder_set_frame_ticks(AVCodecContext *encoder, int ticks) {
#if LIBAVCODEC_VERSION_MAJOR < 60
    encoder->ticks_per_frame = ticks;
#else
    (void)encoder;
    (void)ticks;
#endif
}
