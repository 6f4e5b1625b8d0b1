# The digest is that of all platforms together. To renew both: docker buildx imagetools inspect node:24-slim
FROM node:24-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS page

# The operators' page takes packages that nothing else here needs.
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json ./
RUN npm ci --ignore-scripts
COPY ui ./ui
RUN node ui/build.ts

FROM node:24-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6

WORKDIR /app

COPY package.json package-lock.json .npmrc ./
# Without scripts: the `node` package would fetch the runtime that this image has already. Nothing else needs one.
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

# TypeScript runs as it is: there is nothing else to build.
COPY --from=page /app/ui/dist ./ui/dist
COPY src ./src
COPY workers ./workers

# Files and batches are kept here unless `storage` says otherwise; a volume mounted here takes over its owner.
RUN mkdir -p .baton/blobs && chown -R node:node .baton

USER node
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "src/healthcheck.ts"]

# Exec form: node itself gets the SIGTERM. The flags are those of `npm start`: V8 would take 100 MB more, and be no faster.
# They are no NODE_OPTIONS, which does not allow the second.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--heap-growing-percent=10", "src/main.ts"]
# A role may follow: api, worker <provider>, worker webhooks, worker batches. All of them without.
