# An image with nothing but evtap, the certificates that it trusts and the time zones that it knows:
#   docker build -t evtap . && docker run --rm evtap watch --workspace demo -n 5
FROM rust:1-alpine AS build
# The C compiler builds ring, zstd and mimalloc. On Alpine, Rust links statically against musl.
RUN apk add --no-cache ca-certificates musl-dev tzdata
WORKDIR /src
COPY . .
RUN cargo build --release --locked
# A directory for records and cursors, which a volume may replace.
RUN mkdir /data && chmod 700 /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /src/target/release/evtap /usr/bin/evtap
COPY --from=build --chown=65532:65532 /data /data
ENV HOME=/data
WORKDIR /data
# A number, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
ENTRYPOINT ["/usr/bin/evtap"]
CMD ["--help"]
