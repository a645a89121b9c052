# syntax=docker/dockerfile:1
# Three stages: the wheel from the sources, an environment from the lock file and that wheel, and the
# image, which holds that environment and nothing else.

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY models models
COPY configs configs
COPY crawlers crawlers
COPY nlp nlp
COPY pipelines pipelines
COPY dashboard dashboard
COPY flows flows
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm AS environment
RUN python -m venv /opt/manifiesta
ENV PATH=/opt/manifiesta/bin:$PATH
COPY requirements.lock /tmp/requirements.lock
# PyTorch's own index has the build without CUDA; all else comes from PyPI, as the lock says.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.13.0 \
 && pip install --no-cache-dir --requirement /tmp/requirements.lock
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Manifiesta" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin manifiesta \
 && install --directory --owner manifiesta --mode 0700 /data
COPY --from=environment /opt/manifiesta /opt/manifiesta
ENV PATH=/opt/manifiesta/bin:$PATH \
    MANIFIESTA_HOME=/data \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s --retries=3 \
  CMD ["manifiesta", "status"]
ENTRYPOINT ["manifiesta"]
CMD ["--help"]
