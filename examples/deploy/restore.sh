#!/bin/sh
# Restores a backup of backup.sh into a database that has no Colonies schema yet, brings the schema up to date, and verifies the history.
#
#     restore.sh FOLDER/colonies-TIME.dump
#
# COLONIES_DBHOST, COLONIES_DBPORT, COLONIES_DBUSER, COLONIES_DBPASSWORD, COLONIES_DBNAME and COLONIES_DBSCHEMA say where the database is.
# COLONIES_ROOT_PASSWORD is the root password of the time of the backup. Start servers on the copy only after this ends with 0,
# and never let servers work on both: each would run the same processes.
# database.sh must stand beside this script.
set -eu
umask 077

# shellcheck source=/dev/null
. "$(dirname "$0")/database.sh"

dump=${1:-}
[ -n "$dump" ] || fail 'No backup given. Usage: restore.sh FOLDER/colonies-TIME.dump' 2
stem=${dump%.dump}
for file in "$dump" "$stem.head" "$stem.sha256"; do
	[ -r "$file" ] || fail "The file $file is missing or not readable. A backup consists of a .dump, a .head and a .sha256 file." 2
done
use_database 'The history is verified as root.' 'restore to' colonies pg_restore psql sha256sum
schema=${COLONIES_DBSCHEMA:-colonies}

(cd "$(dirname "$dump")" && sha256sum --check --quiet "$(basename "$stem").sha256") || fail "The backup $dump is damaged. Take another one." 1
head=$(sed -n 's/.*"hash": *"\([0-9a-f]\{64\}\)".*/\1/p' "$stem.head")
[ -n "$head" ] || fail "The file $stem.head names no audit head. Take another backup."

there=$(psql -XAtq -v ON_ERROR_STOP=1 -v schema="$schema" <<'SQL'
select count(*) from pg_namespace where nspname = :'schema';
SQL
) || fail "The database \"$PGDATABASE\" at $PGHOST:$PGPORT cannot be read. Nothing was restored."
[ "$there" = 0 ] || fail "The database \"$PGDATABASE\" has a schema \"$schema\" already. Restore into an empty database. Nothing was restored."

# All or nothing.
pg_restore --single-transaction --exit-on-error --no-owner --dbname="$PGDATABASE" "$dump" || fail 'pg_restore failed. Nothing was restored.'
# The dump has no statistics for the planner.
psql -XAtq -v ON_ERROR_STOP=1 -c 'analyze' || fail 'The database was restored, but ANALYZE failed. Run it before servers start.'

# These commands remember the database. A folder of their own keeps them from changing your current context.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
trap 'exit 1' HUP INT TERM
COLONIES_HOME=$home colonies database create >/dev/null || fail 'The data was restored, but its schema cannot be brought up to date. Start no server on it.'
COLONIES_HOME=$home colonies audit verify --head "$head" || fail "The data was restored, but its history does not match the audit head $head. Start no server on it." "$?"
