#!/bin/sh
# The start command of the API's container; the image contains a copy of this file. It refuses to start with secrets that
# App Service could not resolve, migrates the database if MIGRATION_DATABASE_URL is set, and then replaces itself with
# Uvicorn.
#
#   MIGRATION_DATABASE_URL           the database as its owner, on port 5432 without PgBouncer; empty or unset: no migration
#   WEB_CONCURRENCY                  the number of Uvicorn processes; 1 by default
#   WEBSITES_CONTAINER_STOP_TIME_LIMIT  seconds between SIGTERM and SIGKILL; App Service's default is 5
#   APP_MODULE                       the ASGI application; app.main:app by default
#   APP_REVISION                     set when the image is built; logged
#
# https://learn.microsoft.com/azure/app-service/reference-app-settings#custom-containers
set -eu

ATTEMPTS=3
OLDEST_UVICORN=0.45.0
PAUSE_SECONDS=${MIGRATION_PAUSE_SECONDS:-5}

log() {
  printf 'startup: %s\n' "$*"
}

# An upgrade is one transaction: that is Alembic's default, and PostgreSQL can roll back DDL. If several instances start
# at once, one of them upgrades. The others wait for its locks, fail as a whole, and have nothing to do when they try again.
migrate() {
  attempt=1
  while :; do
    log "alembic upgrade head, attempt $attempt of $ATTEMPTS"
    # Alembic's env.py reads DATABASE_URL, as the application does. For this command only, it is the owner's URL.
    if output=$(DATABASE_URL=$1 alembic upgrade head 2>&1); then
      log "the database is at this image's revision"
      return 0
    fi
    case $output in
      *"Can't locate revision identified by"*)
        # After a rollback the database is newer than this image. Migrations are backward compatible by contract
        # (docs/contracts/application.md), so the older release runs on the newer schema.
        log "the database is at a revision that this image does not know: starting without a migration"
        return 0
        ;;
    esac
    printf '%s\n' "$output" | sed 's#://[^@ ]*@#://***@#g' >&2
    if [ "$attempt" -ge "$ATTEMPTS" ]; then
      log "the migration failed; this container does not start" >&2
      return 1
    fi
    attempt=$((attempt + 1))
    sleep "$PAUSE_SECONDS"
  done
}

# App Service passes a Key Vault reference on as it is when it cannot resolve it. The application would take that text for
# the secret: everybody who reads the repository would know the key that signs its tokens.
# https://learn.microsoft.com/azure/app-service/app-service-key-vault-references#troubleshoot-key-vault-references
refuse_unresolved_references() {
  names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=[[:space:]]*@[Mm]icrosoft\.[Kk]ey[Vv]ault(.*/\1/p' | sort | tr '\n' ' ')
  if [ -n "$names" ]; then
    log "App Service could not resolve the Key Vault references of these settings: ${names% }. Are the secrets there, and" \
      "may the app's identity read them? This container does not start." >&2
    exit 1
  fi
}

# An older Uvicorn takes no networks in --forwarded-allow-ips, or no `address:port` in X-Forwarded-For, which App Service
# sends. Every client would have the same address, and a limit on sign-ins would lock all of them out at once.
# https://github.com/encode/uvicorn/blob/main/docs/release-notes.md
require_uvicorn() {
  version=$(uvicorn --version | sed -n 's/^Running uvicorn \([0-9.]*\).*/\1/p')
  if ! printf '%s\n' "$OLDEST_UVICORN" "$version" | sort -V -C; then
    log "uvicorn is ${version:-of an unknown version}, and $OLDEST_UVICORN or newer is needed: an older one takes App" \
      "Service's own address for that of every client. This container does not start." >&2
    exit 1
  fi
}

refuse_unresolved_references
require_uvicorn
case ${MIGRATION_DATABASE_URL:-} in
  "") log "MIGRATION_DATABASE_URL is not set: no migration" ;;
  *) migrate "$MIGRATION_DATABASE_URL" ;;
esac
# The process that serves requests must not have the owner's credential.
unset MIGRATION_DATABASE_URL

# Running requests get one second less than App Service allows between SIGTERM and SIGKILL.
stop=${WEBSITES_CONTAINER_STOP_TIME_LIMIT:-5}
log "revision ${APP_REVISION:-unknown}, ${WEB_CONCURRENCY:-1} worker(s), port 8000, $((stop - 1)) s to finish requests"
# The proxies whose X-Forwarded-For is trusted: App Service's front end, which has a private address, and Front Door.
# Uvicorn uses the last address in the header that is none of these. With "*" it would use the first address, which any
# client can write itself.
# https://learn.microsoft.com/azure/frontdoor/origin-security
proxies=127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,::1,fc00::/7,fe80::/10
proxies=$proxies,147.243.0.0/16,2a01:111:2050::/44
exec uvicorn "${APP_MODULE:-app.main:app}" \
  --host 0.0.0.0 \
  --port 8000 \
  --workers "${WEB_CONCURRENCY:-1}" \
  --proxy-headers \
  --forwarded-allow-ips "$proxies" \
  --timeout-graceful-shutdown "$((stop - 1))"
