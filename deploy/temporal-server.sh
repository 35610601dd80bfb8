#!/bin/sh
# Hands the database's password to the server, which reads it from its
# environment only, without writing it into the compose file.
set -eu
POSTGRES_PWD=$(cat /run/secrets/postgres-password)
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh
