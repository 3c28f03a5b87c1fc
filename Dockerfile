# syntax=docker/dockerfile:1
# Build: wheels only, Node comes from a wheel too (hatch_build.py). Run: no compiler, no pip cache, no root.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/ward
# For a cluster (deploy/cluster): requirements-cluster.lock, which has a client of NATS, too.
ARG LOCK=requirements.lock
COPY requirements.lock requirements-cluster.lock /src/
RUN /opt/ward/bin/pip install --require-hashes -r /src/${LOCK}
COPY . /src
RUN /opt/ward/bin/pip install --no-deps /src

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/ward --create-home ward \
    && install --directory --owner=ward --mode=0700 /var/lib/ward-devices \
    && chmod 0700 /var/lib/ward
COPY --from=build /opt/ward /opt/ward
ENV PATH=/opt/ward/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WARD_HTTP_HOST=0.0.0.0 \
    WARD_HTTP_PORT=8080 \
    WARD_DATA_DIR=/var/lib/ward
USER ward
WORKDIR /var/lib/ward
VOLUME /var/lib/ward
EXPOSE 8080
# Alive is what a restart can mend; whether it is ready (broker, database) is for the load balancer to ask.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"WARD_HTTP_PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["ward"]
CMD ["serve"]
