// The inner loops, compiled once for every set of instructions. The includer defines CPK_NAME(name), which marks the
// set, and CPK_TARGET, the function attribute that enables it.
//
// Each loop works on 16-bit lanes with no branch inside, and products are written as `(uint32_t)a * b >> 16`, which
// compilers turn into one multiply-high instruction.

#define CPK_INLINE static inline __attribute__((always_inline))

CPK_TARGET CPK_INLINE uint16_t CPK_NAME(mulhi)(uint16_t a, uint16_t b) {
    return (uint16_t)(((uint32_t)a * b) >> 16);
}

CPK_TARGET CPK_INLINE uint16_t CPK_NAME(add_saturated)(uint16_t a, uint16_t b) {
    uint16_t sum = (uint16_t)(a + b);
    return sum < a ? 0xFFFF : sum;
}

CPK_TARGET static void CPK_NAME(cover)(uint16_t *restrict k, const uint8_t *restrict mask, int count,
                                       uint8_t opacity) {
    for (int i = 0; i < count; i++) {
        // From 0…255×255 to 0…65535: × 257/255, whose excess over one is 514/65536, rounded up so that the top is met.
        uint16_t product = (uint16_t)((uint16_t)mask[i] * opacity);
        k[i] = (uint16_t)(product + CPK_NAME(mulhi)(product, 515));
    }
}

CPK_TARGET static void CPK_NAME(over)(uint16_t *restrict samples, const uint16_t *restrict k, int count,
                                      uint16_t color) {
    for (int i = 0; i < count; i++) {
        uint16_t kept = (uint16_t)(samples[i] - CPK_NAME(mulhi)(samples[i], k[i]));
        samples[i] = CPK_NAME(add_saturated)(kept, CPK_NAME(mulhi)(color, k[i]));
    }
}

CPK_TARGET static void CPK_NAME(over_opacity)(uint16_t *restrict opacity, const uint16_t *restrict k, int count) {
    for (int i = 0; i < count; i++) {
        uint16_t kept = (uint16_t)(opacity[i] - CPK_NAME(mulhi)(opacity[i], k[i]));
        opacity[i] = CPK_NAME(add_saturated)(kept, k[i]);
    }
}

CPK_TARGET static void CPK_NAME(box_2x2)(const uint16_t *restrict upper, const uint16_t *restrict lower,
                                         uint16_t *restrict destination, int count) {
    for (int i = 0; i < count; i++) {
        uint32_t sum = (uint32_t)upper[2 * i] + upper[2 * i + 1] + lower[2 * i] + lower[2 * i + 1];
        destination[i] = (uint16_t)((sum + 2) >> 2);
    }
}

CPK_TARGET static void CPK_NAME(box_2x1)(const uint16_t *restrict source, uint16_t *restrict destination,
                                         int count) {
    for (int i = 0; i < count; i++) {
        destination[i] = (uint16_t)(((uint32_t)source[2 * i] + source[2 * i + 1] + 1) >> 1);
    }
}

CPK_TARGET static void CPK_NAME(blend_8)(uint8_t *restrict samples, const uint16_t *restrict premultiplied,
                                         const uint16_t *restrict opacity, int count) {
    for (int i = 0; i < count; i++) {
        uint16_t sample = (uint16_t)(samples[i] << 8);
        // Subtracting the covered part, and not multiplying by what is left, keeps samples under opacity 0 exact.
        uint16_t kept = (uint16_t)(sample - CPK_NAME(mulhi)(sample, opacity[i]) + 0x80);
        samples[i] = (uint8_t)(CPK_NAME(add_saturated)(kept, premultiplied[i]) >> 8);
    }
}

CPK_TARGET static void CPK_NAME(blend_16)(uint16_t *restrict samples, const uint16_t *restrict premultiplied,
                                          const uint16_t *restrict opacity, int count, int shift) {
    uint16_t half = (uint16_t)((1u << shift) >> 1);
    for (int i = 0; i < count; i++) {
        uint16_t sample = (uint16_t)(samples[i] << shift);
        uint16_t kept = (uint16_t)(sample - CPK_NAME(mulhi)(sample, opacity[i]) + half);
        samples[i] = (uint16_t)(CPK_NAME(add_saturated)(kept, premultiplied[i]) >> shift);
    }
}

CPK_TARGET static void CPK_NAME(blend_pairs_8)(uint8_t *restrict samples, const uint16_t *restrict first,
                                               const uint16_t *restrict second, const uint16_t *restrict opacity,
                                               int count) {
    for (int i = 0; i < count; i++) {
        uint16_t a = (uint16_t)(samples[2 * i] << 8), b = (uint16_t)(samples[2 * i + 1] << 8);
        uint16_t kept_a = (uint16_t)(a - CPK_NAME(mulhi)(a, opacity[i]) + 0x80);
        uint16_t kept_b = (uint16_t)(b - CPK_NAME(mulhi)(b, opacity[i]) + 0x80);
        samples[2 * i] = (uint8_t)(CPK_NAME(add_saturated)(kept_a, first[i]) >> 8);
        samples[2 * i + 1] = (uint8_t)(CPK_NAME(add_saturated)(kept_b, second[i]) >> 8);
    }
}

const cpk_kernels CPK_NAME(kernels) = {
    .cover = CPK_NAME(cover),
    .over = CPK_NAME(over),
    .over_opacity = CPK_NAME(over_opacity),
    .box_2x2 = CPK_NAME(box_2x2),
    .box_2x1 = CPK_NAME(box_2x1),
    .blend_8 = CPK_NAME(blend_8),
    .blend_16 = CPK_NAME(blend_16),
    .blend_pairs_8 = CPK_NAME(blend_pairs_8),
};
