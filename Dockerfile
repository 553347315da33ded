# One image; pages and jobs differ by their command (see docker-compose.yml).
FROM python:3.11-slim-bookworm

# libgomp: LightGBM. Pango and the fonts: PDF documents with Chinese text.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 libpango-1.0-0 libpangoft2-1.0-0 fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    XDG_CACHE_HOME=/tmp/cache \
    XINDENG_HOME=/var/lib/xindeng

# A number above those of the host's people; the data folder belongs to this user alone.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin xindeng \
 && install --directory --owner=xindeng --group=xindeng --mode=0700 /var/lib/xindeng

WORKDIR /app
COPY pyproject.toml requirements.lock README.md ./
COPY matching matching
COPY risk risk
COPY service service
COPY web web
RUN pip install --constraint requirements.lock setuptools \
 && pip install --constraint requirements.lock --no-build-isolation --editable .

USER xindeng
VOLUME /var/lib/xindeng
EXPOSE 8000
ENTRYPOINT ["xindeng"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
