#if defined(__x86_64__)
#include "dispatch.h"

#define CPK_NAME(name) cpk_avx2_##name
#define CPK_TARGET __attribute__((target("avx2")))
#include "kernels.h"
#else
// A translation unit may not be empty.
typedef int cpk_no_avx2;
#endif
