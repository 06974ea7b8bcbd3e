#!/bin/sh
# The start command of the API's container. The image contains a copy of this file, and of client_address.py and job.py beside
# it. It refuses to start with secrets that App Service could not resolve, waits until the job `migrate` has brought the database to
# this image's revision, and then replaces itself with Uvicorn.
#
#   MIGRATION_WAIT_SECONDS           how long it waits for the migration; 300 by default
#   WEB_CONCURRENCY                  the number of Uvicorn processes; 1 by default
#   WEBSITES_CONTAINER_STOP_TIME_LIMIT  seconds between SIGTERM and SIGKILL; App Service's default is 5
#   APP_MODULE, FRONT_DOOR_ID        see client_address.py
#   APP_REVISION                     set when the image is built; logged
#
# https://learn.microsoft.com/azure/app-service/reference-app-settings#custom-containers
set -eu

here=$(cd "$(dirname "$0")" && pwd)

log() {
  printf 'startup: %s\n' "$*"
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
for file in client_address.py job.py; do
  if [ ! -f "$here/$file" ]; then
    log "$here/$file is missing: copy it into the image with startup.sh. This container does not start." >&2
    exit 1
  fi
done
python "$here/job.py" wait

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
