# The operator's image: Python, the hashed requirements, and the package. No shell is needed at run time.
ARG PYTHON_IMAGE=python:3.11-slim
# Pin it: --build-arg PYTHON_IMAGE=python@sha256:…
FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements/manager.txt requirements/manager.txt
RUN python -m venv /opt/aiop \
 && /opt/aiop/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements/manager.txt
COPY src/aiop /opt/aiop/lib/python3.11/site-packages/aiop
RUN /opt/aiop/bin/python -m compileall -q /opt/aiop/lib/python3.11/site-packages/aiop

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/aiop /opt/aiop
# A number, so that runAsNonRoot can be checked without a user database.
USER 65532:65532
WORKDIR /tmp
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["/opt/aiop/bin/python", "-m", "aiop"]
CMD ["manager"]
