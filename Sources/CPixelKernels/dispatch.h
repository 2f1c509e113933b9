// The table of inner loops, one instance for each set of instructions.
#ifndef CPK_DISPATCH_H
#define CPK_DISPATCH_H

#include "CPixelKernels.h"

typedef struct cpk_kernels {
    void (*cover)(uint16_t *k, const uint8_t *mask, int count, uint8_t opacity);
    void (*over)(uint16_t *samples, const uint16_t *k, int count, uint16_t color);
    void (*over_opacity)(uint16_t *opacity, const uint16_t *k, int count);
    void (*box_2x2)(const uint16_t *upper, const uint16_t *lower, uint16_t *destination, int count);
    void (*box_2x1)(const uint16_t *source, uint16_t *destination, int count);
    void (*blend_8)(uint8_t *samples, const uint16_t *premultiplied, const uint16_t *opacity, int count);
    void (*blend_16)(uint16_t *samples, const uint16_t *premultiplied, const uint16_t *opacity, int count, int shift);
    void (*blend_pairs_8)(uint8_t *samples, const uint16_t *first, const uint16_t *second, const uint16_t *opacity,
                          int count);
} cpk_kernels;

extern const cpk_kernels cpk_baseline_kernels;
#if defined(__x86_64__)
extern const cpk_kernels cpk_avx2_kernels;
#endif

/// The table for this processor.
const cpk_kernels *cpk_current_kernels(void);

#endif
