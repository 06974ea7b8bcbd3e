#!/bin/sh
# The start command of the API's container; the image contains a copy of this file. It migrates the database if
# MIGRATION_DATABASE_URL is set, and then replaces itself with Uvicorn.
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

case ${MIGRATION_DATABASE_URL:-} in
  "") log "MIGRATION_DATABASE_URL is not set: no migration" ;;
  @Microsoft.KeyVault*)
    log "MIGRATION_DATABASE_URL is a Key Vault reference that App Service could not resolve: is the secret there, and" \
      "may the identity read it?" >&2
    exit 1
    ;;
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
