#include "dispatch.h"

#include <stdatomic.h>

// A table chosen at run time, and neither `ifunc` nor `target_clones`: those run before sanitizers are set up.
static _Atomic(const cpk_kernels *) chosen;

static const cpk_kernels *variant(int index) {
    if (index == 0) return &cpk_baseline_kernels;
#if defined(__x86_64__)
    if (index == 1 && __builtin_cpu_supports("avx2")) return &cpk_avx2_kernels;
#endif
    return NULL;
}

const cpk_kernels *cpk_current_kernels(void) {
    const cpk_kernels *kernels = atomic_load_explicit(&chosen, memory_order_acquire);
    if (kernels) return kernels;
    for (int index = cpk_variant_count() - 1; index >= 0; index--) {
        kernels = variant(index);
        if (kernels) break;
    }
    atomic_store_explicit(&chosen, kernels, memory_order_release);
    return kernels;
}

int cpk_variant_count(void) {
#if defined(__x86_64__)
    return 2;
#else
    return 1;
#endif
}

const char *cpk_variant_name(int index) {
    static const char *const names[] = {"baseline", "avx2"};
    return index >= 0 && index < cpk_variant_count() ? names[index] : "";
}

int cpk_use_variant(int index) {
    const cpk_kernels *kernels = variant(index);
    if (!kernels) return 0;
    atomic_store_explicit(&chosen, kernels, memory_order_release);
    return 1;
}
