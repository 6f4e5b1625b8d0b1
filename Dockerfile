# The digest is that of all platforms together. To renew both: docker buildx imagetools inspect node:24-slim
FROM node:24-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS build

WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json ./
# Without scripts: the `node` package would fetch the runtime that this image has already.
RUN npm ci --ignore-scripts
COPY README.md LICENSE CHANGELOG.md SECURITY.md baton.example.yaml baton.schema.json ./
COPY ui ./ui
COPY src ./src
COPY workers ./workers
COPY release ./release
RUN node ui/build.ts
# What is published, too: the code of all packages is in it.
RUN node release/main.ts package

FROM node:24-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6

LABEL org.opencontainers.image.title="Baton" \
      org.opencontainers.image.description="A queue-backed dispatcher of LLM completion jobs" \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.licenses="MIT"

WORKDIR /app
COPY --from=build /app/package ./
COPY release/healthcheck.sh release/precompile.mjs ./

# Files and batches are kept here unless `storage` says otherwise; a volume mounted here takes over its owner.
RUN mkdir -p .baton/blobs && chown -R node:node .baton

# Compiled once, with the flags and by the user of later starts, as Node keeps it by both: a start in a fresh container takes
# two thirds of the time.
RUN mkdir compiled && chown node:node compiled
ENV NODE_COMPILE_CACHE=/app/compiled
USER node
RUN node --max-semi-space-size=16 --heap-growing-percent=10 precompile.mjs

# On loopback, where the health check asks. The flags are no NODE_OPTIONS, which does not allow the second.
ENV ADMIN_PORT=9464
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["bash", "/app/healthcheck.sh"]

# Exec form: node itself gets the SIGTERM. The flags are those of `npm start`: V8 would take 100 MB more, and be no faster.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--heap-growing-percent=10", "/app/dist/baton.js", "serve"]
# A role may follow: api, worker <provider>, worker webhooks, worker batches. All of them without.
