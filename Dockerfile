# `burble serve` in an image without a model: they are mounted, and named behind the image's name.
FROM debian:trixie-slim AS python
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/*

FROM python AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev python3-pip
COPY . /src
RUN python3 -m venv --without-pip /opt/burble \
 && pip --python /opt/burble install --no-cache-dir --constraint /src/constraints.txt '/src[serve]'

FROM python
COPY --from=build /opt/burble /opt/burble
# Root's files, run by nobody in particular: numbers, which can be seen not to be root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/opt/burble/bin/burble", "serve", "--host", "0.0.0.0"]
