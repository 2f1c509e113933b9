#include "CAVShim.h"

cav_versions cav_build_versions(void) {
    cav_versions v = {LIBAVUTIL_VERSION_INT,   LIBAVCODEC_VERSION_INT,    LIBAVFORMAT_VERSION_INT,
                      LIBAVFILTER_VERSION_INT, LIBSWRESAMPLE_VERSION_INT, LIBSWSCALE_VERSION_INT};
    return v;
}

cav_versions cav_runtime_versions(void) {
    cav_versions v = {avutil_version(),   avcodec_version(),    avformat_version(),
                      avfilter_version(), swresample_version(), swscale_version()};
    return v;
}
