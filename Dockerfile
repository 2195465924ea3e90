# Both programs, linked with Swift's own libraries statically; Debian's C libraries come from the distribution.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev zlib1g-dev libisal-dev libsnappy-dev liblz4-dev \
        libzstd-dev libssl-dev libyaml-dev libmicrohttpd-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Package.swift ./
COPY Sources ./Sources
COPY Tests ./Tests
RUN swift build -c release --static-swift-stdlib --product tfi-consumer \
    && swift build -c release --static-swift-stdlib --product tfi-producer \
    && mkdir /out \
    && cp "$(swift build -c release --show-bin-path)/tfi-consumer" "$(swift build -c release --show-bin-path)/tfi-producer" /out/

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq5 libisal2 zlib1g libsnappy1v5 liblz4-1 libzstd1 \
        libssl3 libyaml-0-2 libmicrohttpd12 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin tfi
COPY --from=build /out/ /usr/local/bin/
# The day that `tfi-producer replay` sends where no files are given.
COPY Fixtures/day /usr/local/share/tfi/Fixtures/day
WORKDIR /usr/local/share/tfi
USER tfi
CMD ["tfi-consumer", "--help"]
