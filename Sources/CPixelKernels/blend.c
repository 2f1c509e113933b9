// Laying a composite over the planes of a frame.
#include "dispatch.h"

void cpk_blend_runs(uint8_t *plane, ptrdiff_t stride, int depth, const cpk_run *runs, size_t run_count,
                    const uint16_t *premultiplied, const uint16_t *opacity) {
    const cpk_kernels *kernels = cpk_current_kernels();
    for (size_t i = 0; i < run_count; i++) {
        cpk_run run = runs[i];
        uint8_t *row = plane + run.row * stride;
        if (depth == 8) {
            kernels->blend_8(row + run.column, premultiplied + run.offset, opacity + run.offset, run.count);
        } else {
            kernels->blend_16((uint16_t *)row + run.column, premultiplied + run.offset, opacity + run.offset,
                              run.count, 16 - depth);
        }
    }
}

static uint16_t blend_word(uint16_t word, uint16_t premultiplied, uint16_t opacity, int up, int depth) {
    int shift = 16 - depth;
    uint32_t sample = (uint32_t)(uint16_t)(word << up);
    uint32_t blended = sample - (sample * opacity >> 16) + ((1u << shift) >> 1) + premultiplied;
    if (blended > 0xFFFF) blended = 0xFFFF;
    return (uint16_t)(blended >> shift << (shift - up));
}

void cpk_blend_interleaved_runs(uint8_t *plane, ptrdiff_t stride, int depth, int msb_aligned, const cpk_run *runs,
                                size_t run_count, const uint16_t *premultiplied_first,
                                const uint16_t *premultiplied_second, const uint16_t *opacity) {
    const cpk_kernels *kernels = cpk_current_kernels();
    int up = msb_aligned ? 0 : 16 - depth;
    for (size_t i = 0; i < run_count; i++) {
        cpk_run run = runs[i];
        uint8_t *row = plane + run.row * stride;
        const uint16_t *first = premultiplied_first + run.offset, *second = premultiplied_second + run.offset;
        const uint16_t *alpha = opacity + run.offset;
        if (depth == 8) {
            kernels->blend_pairs_8(row + 2 * (ptrdiff_t)run.column, first, second, alpha, run.count);
            continue;
        }
        uint16_t *words = (uint16_t *)row + 2 * (ptrdiff_t)run.column;
        for (int32_t x = 0; x < run.count; x++) {
            words[2 * x] = blend_word(words[2 * x], first[x], alpha[x], up, depth);
            words[2 * x + 1] = blend_word(words[2 * x + 1], second[x], alpha[x], up, depth);
        }
    }
}
