// What every processor of the architecture has: SSE2 on x86-64, NEON on arm64.
#include "dispatch.h"

#define CPK_NAME(name) cpk_baseline_##name
#define CPK_TARGET
#include "kernels.h"
