#include "CAVShim.h"

#include <libavutil/mem.h>

// From lavf 60.15 (FFmpeg 6.1) on a stream's side data lives in its codec parameters.
#define IN_PARAMETERS (LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100))

const uint8_t *cav_stream_side_data(const AVStream *stream, enum AVPacketSideDataType type, size_t *size) {
#if IN_PARAMETERS
    const AVPacketSideData *data = av_packet_side_data_get(stream->codecpar->coded_side_data,
                                                           stream->codecpar->nb_coded_side_data, type);
    *size = data ? data->size : 0;
    return data ? data->data : NULL;
#else
    return av_stream_get_side_data(stream, type, size);
#endif
}

uint8_t *cav_stream_new_side_data(AVStream *stream, enum AVPacketSideDataType type, size_t size) {
#if IN_PARAMETERS
    AVPacketSideData *data = av_packet_side_data_new(&stream->codecpar->coded_side_data,
                                                     &stream->codecpar->nb_coded_side_data, type, size, 0);
    return data ? data->data : NULL;
#else
    return av_stream_new_side_data(stream, type, size);
#endif
}

int cav_add_chapter(AVFormatContext *context, AVRational time_base, int64_t start, int64_t end,
                    AVDictionary ***metadata) {
    AVChapter *chapter = av_mallocz(sizeof *chapter);
    if (!chapter) return AVERROR(ENOMEM);
    int count = context->nb_chapters;
    // Frees the list on failure, as its comment says.
    av_dynarray_add(&context->chapters, &count, chapter);
    if (!context->chapters) {
        context->nb_chapters = 0;
        av_free(chapter);
        return AVERROR(ENOMEM);
    }
    context->nb_chapters = count;
    chapter->id = count;
    chapter->time_base = time_base;
    chapter->start = start;
    chapter->end = end;
    *metadata = &chapter->metadata;
    return 0;
}
