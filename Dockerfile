# The image of the counter: the program, the shared libraries it needs, the certificates of public
# authorities, and nothing else.

ARG SWIFT_VERSION=6.3.1

FROM docker.io/library/swift:${SWIFT_VERSION}-bookworm AS build

# The version of Debian is fixed, and its packages are to be those with the latest corrections.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libhiredis-dev libssl-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /counter
COPY Package.swift ./
RUN swift package resolve

COPY . .
RUN swift build --configuration release --product counter --static-swift-stdlib -Xlinker --strip-all \
 && scripts/collect-program .build/release/counter /image \
 && install -D --mode 644 LICENSE /image/usr/share/doc/counter/copyright \
 && scripts/collect-authorities /image \
 && echo 'counter:x:65532:65532::/:/sbin/nologin' > /image/etc/passwd \
 && echo 'counter:x:65532:' > /image/etc/group

FROM scratch

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="counter" \
      org.opencontainers.image.description="A web server that answers every visit with its number, counted in Redis" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY --from=build /image /

USER 65532:65532
EXPOSE 8000 9000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/usr/local/bin/counter", "health"]
ENTRYPOINT ["/usr/local/bin/counter"]
