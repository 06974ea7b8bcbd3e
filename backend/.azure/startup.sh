#!/bin/sh
# The start command of the API's container. The image contains a copy of this file, and of client_address.py beside it. It
# refuses to start with secrets that App Service could not resolve, migrates the database if MIGRATION_DATABASE_URL is set,
# and then replaces itself with Uvicorn.
#
#   MIGRATION_DATABASE_URL           the database as its owner, on port 5432 without PgBouncer; empty or unset: no migration
#   WEB_CONCURRENCY                  the number of Uvicorn processes; 1 by default
#   WEBSITES_CONTAINER_STOP_TIME_LIMIT  seconds between SIGTERM and SIGKILL; App Service's default is 5
#   APP_MODULE, FRONT_DOOR_ID        see client_address.py
#   APP_REVISION                     set when the image is built; logged
#
# https://learn.microsoft.com/azure/app-service/reference-app-settings#custom-containers
set -eu

here=$(cd "$(dirname "$0")" && pwd)
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

refuse_unresolved_references
if [ ! -f "$here/client_address.py" ]; then
  log "$here/client_address.py is missing: copy it into the image with startup.sh. This container does not start." >&2
  exit 1
fi
case ${MIGRATION_DATABASE_URL:-} in
  "") log "MIGRATION_DATABASE_URL is not set: no migration" ;;
  *) migrate "$MIGRATION_DATABASE_URL" ;;
esac
# The process that serves requests must not have the owner's credential.
unset MIGRATION_DATABASE_URL

# Running requests get one second less than App Service allows between SIGTERM and SIGKILL.
stop=${WEBSITES_CONTAINER_STOP_TIME_LIMIT:-5}
log "revision ${APP_REVISION:-unknown}, ${WEB_CONCURRENCY:-1} worker(s), port 8000, $((stop - 1)) s to finish requests"
# client_address.py wraps the application, and finds the address of the client. Uvicorn only reads X-Forwarded-Proto: App
# Service's front end is the only peer that reaches this port.
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
exec uvicorn client_address:app \
  --host 0.0.0.0 \
  --port 8000 \
  --workers "${WEB_CONCURRENCY:-1}" \
  --proxy-headers \
  --forwarded-allow-ips "*" \
  --timeout-graceful-shutdown "$((stop - 1))"
