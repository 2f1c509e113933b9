# The image of kiln: worker, API, migrations and every other command.
#
#   docker build --tag kiln .
#   docker run --rm kiln capabilities
#
# Both stages are Debian 12, with FFmpeg 5.1: a binary runs with the libraries of the release that it was built on.
# What is passed on with FFmpeg as Debian builds it comes under the GPL. deploy/check tries these steps without Docker.
ARG SWIFT_VERSION=6.3

FROM swift:${SWIFT_VERSION}-bookworm AS build
WORKDIR /src

# What scripts/setup installs for a build, but for the fonts and Postgres; and libxml2, which Foundation wants when linked statically.
COPY scripts/setup scripts/setup
RUN apt-get update \
    && apt-get install --yes --no-install-recommends $(scripts/setup --list | grep -Ev '^(font|postgresql$)') libxml2-dev \
    && rm -rf /var/lib/apt/lists/*

# Dependencies change less often than sources. Versions stay as they are until Package.swift changes, or as Package.resolved
# has them, where there is one.
COPY Package.* ./
RUN --mount=type=cache,id=kiln-swiftpm,target=/root/.cache/org.swift.swiftpm \
    --mount=type=cache,id=kiln-build,target=/src/.build,sharing=locked \
    swift package resolve

# The manifest names the tests and benchmarks too, so their folders must be there; nothing of them is built.
COPY Sources Sources
COPY Tests Tests
COPY Benchmarks Benchmarks
RUN --mount=type=cache,id=kiln-swiftpm,target=/root/.cache/org.swift.swiftpm \
    --mount=type=cache,id=kiln-build,target=/src/.build,sharing=locked \
    swift build --configuration release --product kiln --static-swift-stdlib \
    && install -D --strip .build/release/kiln /out/kiln


FROM debian:bookworm-slim AS runtime

RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        # FFmpeg.
        libavformat59 libavcodec59 libavfilter8 libswresample4 libswscale6 libavutil57 \
        # Captions, as scripts/setup has them: libass draws outlines only, so emoji come from Symbola.
        libass9 libfontconfig1 libfreetype6 fontconfig \
        fonts-dejavu-core fonts-noto-core fonts-noto-cjk fonts-symbola \
        # Postgres, HTTP and S3.
        libpq5 libcurl4 ca-certificates \
        libpocketsphinx3 pocketsphinx-en-us \
        # Swift's runtime and Foundation; the zones of schedules.
        libstdc++6 libgcc-s1 libxml2 tzdata \
        # The first process, which reaps and passes signals on; and what asks for the health.
        tini curl \
    && rm -rf /var/lib/apt/lists/* \
    # Nothing else writes here later: the file system may be read-only.
    && fc-cache --system-only \
    && groupadd --gid 10001 kiln \
    && useradd --uid 10001 --gid kiln --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin kiln

COPY LICENSE /usr/share/doc/kiln/LICENSE
COPY --from=build /out/kiln /usr/local/bin/kiln

ENV LANG=C.UTF-8 \
    ENABLE_HEALTH_CHECK=true

# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001

# The API, and health with metrics.
EXPOSE 8000 8080

HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD curl --fail --silent --show-error --max-time 4 --output /dev/null "http://127.0.0.1:${HEALTH_CHECK_PORT:-8080}/health"

ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/kiln"]
CMD ["worker"]
