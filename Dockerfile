# An image with all three programs, installed from the project's Debian package, which declares the libraries they need.
FROM swift:6.3-bookworm AS build
# scripts/package.sh checks for missing packages (scripts/prerequisites.sh) and would install them in each build.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev zlib1g-dev libisal-dev libsnappy-dev liblz4-dev \
        libzstd-dev libssl-dev libyaml-dev libmicrohttpd-dev pkg-config binutils dpkg-dev python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# The date of the files in the package. For reproducible packages pass the commit's date (git log -1 --format=%ct).
ARG SOURCE_DATE_EPOCH
RUN ./scripts/package.sh --output /out

FROM debian:bookworm-slim
# ca-certificates: brokers and databases whose certificates are signed by a public authority.
RUN --mount=type=bind,from=build,source=/out,target=/out \
    apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates /out/tfi-consumer_*.deb \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 tfi \
    && useradd --system --uid 10001 --gid tfi --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tfi
# The messages that `tfi-producer replay` sends if no files are given.
COPY Fixtures/day /usr/local/share/tfi/Fixtures/day
COPY --chmod=755 Operations/image/healthcheck /usr/local/bin/healthcheck
WORKDIR /usr/local/share/tfi
# A numeric id, so that Kubernetes can verify that the user isn't root (runAsNonRoot).
USER 10001:10001
# With TFI_HTTP=0.0.0.0:8080 other containers can reach the pages.
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["healthcheck"]
CMD ["tfi-consumer", "--help"]
