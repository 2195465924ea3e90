# All three programs in one image, installed from the project's own Debian package: it names the libraries that they need.
FROM swift:6.3-bookworm AS build
# scripts/prerequisites.sh checks these lists; what it misses, scripts/package.sh installs.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev zlib1g-dev libisal-dev libsnappy-dev liblz4-dev \
        libzstd-dev libssl-dev libyaml-dev libmicrohttpd-dev pkg-config binutils dpkg-dev python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# The date of what is in the package. Pass the commit's (git log -1 --format=%ct) for the same package each time.
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
# The day that `tfi-producer replay` sends if no files are given.
COPY Fixtures/day /usr/local/share/tfi/Fixtures/day
COPY --chmod=755 Operations/image/healthcheck /usr/local/bin/healthcheck
WORKDIR /usr/local/share/tfi
# By number: Kubernetes sees that it isn't root.
USER 10001:10001
# Serves its pages to other containers if a service sets TFI_HTTP=0.0.0.0:8080.
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["healthcheck"]
CMD ["tfi-consumer", "--help"]
