# One image for every program: `connector`, `streams worker|notify|board`, `connector.simulator`. What runs is an argument.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/walletstream
COPY requirements/run.txt requirements/build.txt requirements/
# Wheels only: nothing of what strangers publish is run here, and no compiler is needed.
RUN /opt/walletstream/bin/python -m pip install --only-binary=:all: --require-hashes -r requirements/run.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/python -m pip install --only-binary=:all: --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY connector connector
COPY streams streams
RUN /opt/build/bin/python -m hatchling build -t wheel -d /src/dist \
 && /opt/walletstream/bin/python -m pip install --no-deps --no-index /src/dist/*.whl \
 && /opt/walletstream/bin/python -m pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="walletstream" \
      org.opencontainers.image.description="Watched wallets' prediction-market orders on plain Kafka" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/walletstream /opt/walletstream
ENV PATH=/opt/walletstream/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATUS_ADDRESS=0.0.0.0:9464 \
    LOG_FORMAT=json
# A number, so that Kubernetes can see that it is not root. Nothing is written but to /tmp.
USER 10001:10001
WORKDIR /tmp
EXPOSE 9464 8080 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python", "-m", "connector.process.probe"]
ENTRYPOINT ["python", "-m"]
CMD ["connector"]
