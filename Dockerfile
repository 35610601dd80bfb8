# Two images of one build: `worker` runs one environment's workflows and activities,
# `gateway` is the command line, which serves the gateway unless told otherwise.
#
#   docker build --target worker  -t connected-apps-worker:1.0.0  .
#   docker build --target gateway -t connected-apps-gateway:1.0.0 .

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
COPY go.mod go.sum ./
RUN go mod download
# Directory by directory, so that nothing else of the tree is in the build.
COPY activities activities
COPY connection connection
COPY connectors connectors
COPY deployment deployment
COPY gateway gateway
COPY starter starter
COPY vault vault
COPY worker worker
COPY workflows workflows
RUN go build -trimpath -ldflags="-s -w" -o /out/connected-apps-worker ./worker && \
    go build -trimpath -ldflags="-s -w" -o /out/connected-apps ./starter
# The images have no shell, so their health checks need a program of their own.
COPY deploy/health/main.go health/main.go
RUN go build -trimpath -ldflags="-s -w" -o /out/health health/main.go

# What both images have in common: certificates to verify apps with, and nothing to run.
FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/health /health
ENV HOME=/
USER 10001:10001
WORKDIR /

FROM base AS worker
COPY --from=build /out/connected-apps-worker /connected-apps-worker
ENTRYPOINT ["/connected-apps-worker"]

FROM base AS gateway
COPY --from=build /out/connected-apps /connected-apps
ENTRYPOINT ["/connected-apps"]
CMD ["serve"]
