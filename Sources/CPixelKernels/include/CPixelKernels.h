// Pixel arithmetic for pictures drawn over video. Plain C that the compiler vectorises; no library behind it.
//
// Samples in between are 16-bit and premultiplied: a plane's value times its opacity, in units where a full scale of
// 2^depth is 65536. Opacity runs from 0 to 65535. Colour therefore enters as `sample << (16 - depth)`, and the same
// planes serve every bit depth.
//
// Every function is safe to call from any thread; buffers that one call writes must not be shared with another.
#ifndef CPIXELKERNELS_H
#define CPIXELKERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A stretch of samples in one row of a plane, whose premultiplied values lie at `offset` in the composite.
typedef struct cpk_run {
    int32_t row, column, count;
    uint32_t offset;
} cpk_run;

/// One colour in a picture's own planes: up to three samples scaled to 16 bits, and the opacity from 0 to 255.
typedef struct cpk_color {
    uint16_t sample[3];
    uint8_t opacity;
} cpk_color;

/// Rows of premultiplied samples that grow layer by layer. `stride` is in samples. `plane[1]` and `plane[2]` are NULL
/// where the picture has one plane.
typedef struct cpk_layers {
    uint16_t *plane[3];
    uint16_t *opacity;
    ptrdiff_t stride;
} cpk_layers;

/// Draws one colour through an 8-bit coverage mask over what is there ("over", in the order of the calls):
/// k = coverage × opacity, sample = sample × (1 − k) + colour × k.
/// The mask's first sample falls on `column` of row `row`. All of it must lie within `layers`.
void cpk_draw_mask(const cpk_layers *layers, int row, int column, const uint8_t *mask, ptrdiff_t mask_stride,
                   int width, int height, const cpk_color *color);

/// Averages boxes of 2^log2_width × 2^log2_height samples, rounded to nearest: `count` boxes from one band of rows.
void cpk_box_average(const uint16_t *source, ptrdiff_t stride, uint16_t *destination, int count, int log2_width,
                     int log2_height);

/// The granularity of `cpk_find_runs`, in samples.
#define CPK_RUN_ALIGNMENT 16

/// Finds the stretches of a row that hold anything but zero, rounded outwards to multiples of `CPK_RUN_ALIGNMENT`
/// (or to the row's end). Writes at most `capacity` of them with `column` and `count` set, and returns how many there
/// are: at most `count / (2 × CPK_RUN_ALIGNMENT) + 1`.
size_t cpk_find_runs(const uint16_t *opacity, int count, cpk_run *runs, size_t capacity);

/// Blends runs into a plane of 8-bit samples (depth 8) or of native 16-bit words (depth 9 to 16):
/// sample = sample × (1 − opacity) + premultiplied. A sample under opacity 0 stays exactly as it is.
/// `stride` is in bytes and may be negative.
void cpk_blend_runs(uint8_t *plane, ptrdiff_t stride, int depth, const cpk_run *runs, size_t run_count,
                    const uint16_t *premultiplied, const uint16_t *opacity);

/// The same for two planes whose samples alternate (the chroma of NV12 and P010). `msb_aligned` says that words hold
/// the sample in their high bits, as P010 does; it has no meaning at depth 8.
void cpk_blend_interleaved_runs(uint8_t *plane, ptrdiff_t stride, int depth, int msb_aligned, const cpk_run *runs,
                                size_t run_count, const uint16_t *premultiplied_first,
                                const uint16_t *premultiplied_second, const uint16_t *opacity);

/// How many sets of instructions this build holds, the plain one first.
int cpk_variant_count(void);
/// The name of a set, such as "baseline" or "avx2".
const char *cpk_variant_name(int index);
/// Uses one set from now on: for tests and measurements. Returns 0 if this processor cannot run it.
int cpk_use_variant(int index);

#ifdef __cplusplus
}
#endif

#endif
