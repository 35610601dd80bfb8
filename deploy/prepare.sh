#!/bin/sh
# Makes deploy/secrets: the directories that the compose file mounts, and a random
# password for the database. What is there already is left alone. Run it once, as
# root or as the user that CONNECTED_APPS_UID names.
set -eu
cd "$(dirname "$0")"
umask 077
owner=${CONNECTED_APPS_UID:-10001}:${CONNECTED_APPS_GID:-10001}

mkdir -p secrets
for identity in worker gateway; do
	for environment in development staging production; do
		mkdir -p "secrets/identities/$identity/$environment"
	done
done
[ "$(id -u)" -ne 0 ] || chown -R "$owner" secrets/identities

if [ ! -e secrets/postgres-password ]; then
	head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >secrets/postgres-password
	# The directory keeps others out; the database's user in its container must read it.
	chmod 444 secrets/postgres-password
fi
[ -e .env ] || cp env.example .env
echo "deploy/secrets is ready; now edit deploy/.env"
