#!/bin/sh
# Creates Temporal's two databases where they are missing, and brings their
# schemas to the version of this image. Safe to run again, and needed before the
# server of a new version starts.
set -eu
SQL_PASSWORD=$(cat /run/secrets/postgres-password)
export SQL_PASSWORD

prepare() {
	database=$1 schema=$2
	# Both fail on what is there already; whatever else is wrong stops update-schema.
	temporal-sql-tool --db "$database" create >/dev/null 2>&1 || true
	temporal-sql-tool --db "$database" setup-schema -v 0.0 >/dev/null 2>&1 || true
	temporal-sql-tool --db "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/$schema/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
