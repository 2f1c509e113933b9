// Building a picture of captions: drawing masks over one another, averaging for chroma, finding what is not empty.
#include "dispatch.h"

// Columns worked on at once: the coverage of one stretch stays in the first-level cache.
#define STRETCH 1024

void cpk_draw_mask(const cpk_layers *layers, int row, int column, const uint8_t *mask, ptrdiff_t mask_stride,
                   int width, int height, const cpk_color *color) {
    if (!color->opacity) return;
    const cpk_kernels *kernels = cpk_current_kernels();
    uint16_t k[STRETCH];
    for (int y = 0; y < height; y++, mask += mask_stride) {
        ptrdiff_t start = (ptrdiff_t)(row + y) * layers->stride + column;
        for (int x = 0; x < width; x += STRETCH) {
            int count = width - x < STRETCH ? width - x : STRETCH;
            kernels->cover(k, mask + x, count, color->opacity);
            for (int plane = 0; plane < 3; plane++) {
                if (layers->plane[plane]) {
                    kernels->over(layers->plane[plane] + start + x, k, count, color->sample[plane]);
                }
            }
            kernels->over_opacity(layers->opacity + start + x, k, count);
        }
    }
}

void cpk_box_average(const uint16_t *source, ptrdiff_t stride, uint16_t *destination, int count, int log2_width,
                     int log2_height) {
    if (log2_width == 1 && log2_height == 1) {
        cpk_current_kernels()->box_2x2(source, source + stride, destination, count);
        return;
    }
    if (log2_width == 1 && log2_height == 0) {
        cpk_current_kernels()->box_2x1(source, destination, count);
        return;
    }
    // Any other box (4:1:1, 4:1:0, 4:4:0) is too rare for a loop of its own.
    int width = 1 << log2_width, height = 1 << log2_height, shift = log2_width + log2_height;
    for (int i = 0; i < count; i++) {
        uint32_t sum = (1u << shift) >> 1;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) sum += source[y * stride + i * width + x];
        }
        destination[i] = (uint16_t)(sum >> shift);
    }
}

size_t cpk_find_runs(const uint16_t *opacity, int count, cpk_run *runs, size_t capacity) {
    size_t found = 0;
    int start = -1;
    for (int x = 0; x < count; x += CPK_RUN_ALIGNMENT) {
        int end = count - x < CPK_RUN_ALIGNMENT ? count : x + CPK_RUN_ALIGNMENT;
        uint16_t any = 0;
        for (int i = x; i < end; i++) any |= opacity[i];
        if (any && start < 0) start = x;
        if (start >= 0 && (!any || end == count)) {
            if (found < capacity) {
                runs[found].column = start;
                runs[found].count = (any ? end : x) - start;
            }
            found++;
            start = -1;
        }
    }
    return found;
}
