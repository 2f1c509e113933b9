// The one place that knows libav's versions, from FFmpeg 5.1 to 9.
//
// Swift sees libav's own types through this header. A function stands here only if Swift cannot call the C thing
// (a macro, a variadic, a union, a callback that must not enter Swift) or if it differs between versions.
#ifndef CAVSHIM_H
#define CAVSHIM_H

#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libavutil/cpu.h>
#include <libavutil/display.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Versions

typedef struct cav_versions {
    unsigned avutil, avcodec, avformat, avfilter, swresample, swscale;
} cav_versions;

/// The versions that this code was compiled against.
cav_versions cav_build_versions(void);
/// The versions of the libraries that are loaded.
cav_versions cav_runtime_versions(void);

// MARK: Macros that Swift does not import

static inline int cav_error(int errno_value) { return AVERROR(errno_value); }
static inline int cav_error_errno(int averror) { return AVUNERROR(averror); }
static const int CAV_ERROR_EOF = AVERROR_EOF;
static const int CAV_ERROR_EXIT = AVERROR_EXIT;
static const int CAV_ERROR_EXTERNAL = AVERROR_EXTERNAL;
static const int CAV_ERROR_INVALIDDATA = AVERROR_INVALIDDATA;
static const int CAV_ERROR_DEMUXER_NOT_FOUND = AVERROR_DEMUXER_NOT_FOUND;
static const int CAV_ERROR_DECODER_NOT_FOUND = AVERROR_DECODER_NOT_FOUND;
static const int CAV_ERROR_ENCODER_NOT_FOUND = AVERROR_ENCODER_NOT_FOUND;
static const int CAV_ERROR_PATCHWELCOME = AVERROR_PATCHWELCOME;
static const int CAV_ERROR_STREAM_NOT_FOUND = AVERROR_STREAM_NOT_FOUND;
static const int64_t CAV_NOPTS = AV_NOPTS_VALUE;

// MARK: Logging

/// A line that libav logged. `job` is the number that the context (or, failing that, the thread) was marked with.
typedef struct cav_log_line {
    uint64_t job;
    int level;
    char text[500];
} cav_log_line;

/// Sends libav's log into a lock-free ring from now on. Nothing is printed. Lines above `level` are dropped.
void cav_log_install(int level);
/// Takes the oldest line out of the ring. One consumer at a time. Returns 0 when the ring is empty.
int cav_log_take(cav_log_line *line);
/// How many lines were lost to a full ring since the start.
uint64_t cav_log_lost(void);
/// Marks the calling thread: lines whose context bears no mark of its own belong to `job`.
void cav_log_set_thread_job(uint64_t job);
/// Writes a line as libav would: for tests.
void cav_log_write(void *context, int level, const char *text);
/// The mark that goes into the `opaque` of a codec, format or filter graph context.
static inline void *cav_log_mark(uint64_t job) { return (void *)(uintptr_t)job; }

// MARK: Threads

/// Names the calling thread for debuggers (a GNU extension, which Swift's import of the C library leaves out).
void cav_thread_set_name(const char *name);

/// Sets how many heaps the allocator keeps for threads to share (mallopt(3); glibc's <malloc.h> is not imported either).
void cav_limit_arenas(int count);

// MARK: I/O

typedef int (*cav_read_function)(void *opaque, uint8_t *buffer, int size);
typedef int (*cav_write_function)(void *opaque, const uint8_t *buffer, int size);
typedef int64_t (*cav_seek_function)(void *opaque, int64_t offset, int whence);

/// `avio_alloc_context`, whose write callback gained a `const` in lavf 61. Owns its buffer; free with `cav_io_free`.
AVIOContext *cav_io_alloc(int buffer_size, int writable, void *opaque, cav_read_function read,
                          cav_write_function write, cav_seek_function seek);
/// Frees the context and the buffer that it holds now, which need not be the one it began with.
void cav_io_free(AVIOContext **io);

/// Makes `context` refuse to open anything besides the stream it was given. The name of what it last tried is kept
/// for the calling thread.
void cav_refuse_nested_io(AVFormatContext *context);
/// What a format context on this thread last tried to open, or an empty string. Clears it.
const char *cav_take_refused_name(void);

// MARK: Frames

/// Duration in the frame's time base; 0 if unknown. (`duration` came with lavu 57.30, `pkt_duration` went with 59.)
int64_t cav_frame_duration(const AVFrame *frame);
void cav_frame_set_duration(AVFrame *frame, int64_t duration);
int cav_frame_is_key(const AVFrame *frame);
int cav_frame_is_interlaced(const AVFrame *frame);
/// Whether the top field is shown first.
int cav_frame_is_top_field_first(const AVFrame *frame);
void cav_frame_clear_interlaced(AVFrame *frame);
/// Whether the decoder marked the frame as damaged or concealed.
int cav_frame_is_damaged(const AVFrame *frame);
/// Plane `index`, or NULL. `stride` is in bytes and may be negative.
uint8_t *cav_frame_plane(const AVFrame *frame, int index, int *stride);
/// Total bytes of the buffers that the frame refers to.
size_t cav_frame_bytes(const AVFrame *frame);
/// Fills a frame's buffers from `pool_owner`'s pools, as `av_frame_get_buffer` does with fresh memory.
int cav_frame_from_pool(AVFrame *frame, AVBufferPool **pools, int *sizes, int count);

// MARK: Streams

/// Side data of a stream, which moved to the codec parameters in lavf 60.15.
const uint8_t *cav_stream_side_data(const AVStream *stream, enum AVPacketSideDataType type, size_t *size);
/// New side data of `size` bytes for an output stream, or NULL.
uint8_t *cav_stream_new_side_data(AVStream *stream, enum AVPacketSideDataType type, size_t size);

/// Adds a chapter to an output (libav has no public function for it). Its tags go into `*metadata`.
int cav_add_chapter(AVFormatContext *context, AVRational time_base, int64_t start, int64_t end,
                    AVDictionary ***metadata);

// MARK: Codecs

/// The lists that an encoder supports. Each returns NULL where anything goes; `*count` is then 0.
const enum AVPixelFormat *cav_codec_pixel_formats(const AVCodec *codec, int *count);
const enum AVSampleFormat *cav_codec_sample_formats(const AVCodec *codec, int *count);
const int *cav_codec_sample_rates(const AVCodec *codec, int *count);
const AVChannelLayout *cav_codec_channel_layouts(const AVCodec *codec, int *count);

/// Tells an encoder how many units of its time base a picture usually lasts. Before lavc 60, libvpx's second pass knows
/// durations from nothing else; later it takes each frame's own.
void cav_encoder_set_frame_ticks(AVCodecContext *encoder, int ticks);

// MARK: Filters

/// What a buffer source needs to know before its graph is configured.
typedef struct cav_source_parameters {
    AVRational time_base;
    int format;
    // Video
    int width, height;
    AVRational sample_aspect_ratio, frame_rate;
    int color_space, color_range;
    // Audio
    int sample_rate;
    const AVChannelLayout *channel_layout;
} cav_source_parameters;

/// `av_buffersrc_parameters_set`; colour entered it in lavfi 9.16.
int cav_source_configure(AVFilterContext *source, const cav_source_parameters *parameters);
/// Colour that a sink hands on. Returns 0 where the version cannot tell (then the frames do).
int cav_sink_color(const AVFilterContext *sink, int *color_space, int *color_range);

#ifdef __cplusplus
}
#endif
#endif
