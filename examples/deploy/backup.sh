#!/bin/sh
# Backs up a Colonies database: a dump of its schema, and the audit head that the restored copy must have.
#
#     backup.sh FOLDER [COUNT]
#
# Keeps the newest COUNT backups of FOLDER (14 unless given), and removes older ones after a success only. Prints the path of the new dump.
# COLONIES_DBHOST, COLONIES_DBPORT, COLONIES_DBUSER, COLONIES_DBPASSWORD, COLONIES_DBNAME and COLONIES_DBSCHEMA say where the database is.
# COLONIES_ROOT_PASSWORD is needed for the audit head. Servers may go on working; a standby can be backed up, too.
# Copy the three files of a backup to another machine: the .head file proves later that nobody changed the history in the dump.
# database.sh must stand beside this script.
set -eu
umask 077

# shellcheck source=/dev/null
. "$(dirname "$0")/database.sh"

folder=${1:-}
count=${2:-14}
[ -n "$folder" ] || fail 'No folder given. Usage: backup.sh FOLDER [COUNT]' 2
case $count in
	'' | *[!0-9]* | 0*) fail "The count \"$count\" is not a number of 1 or more. It says how many backups to keep." 2 ;;
esac
use_database 'The audit head is read as root.' 'back up' colonies pg_dump pg_restore psql sha256sum
schema=${COLONIES_DBSCHEMA:-colonies}

# The chunks of a hypertable lie in a schema of TimescaleDB, which a dump of this schema would miss.
hypertables=$(psql -XAtq -v ON_ERROR_STOP=1 -v schema="$schema" <<'SQL'
select to_regclass('_timescaledb_catalog.hypertable') is not null as has_timescale \gset
\if :has_timescale
select count(*) from _timescaledb_catalog.hypertable where schema_name = :'schema';
\else
select 0;
\endif
SQL
) || fail "The database \"$PGDATABASE\" at $PGHOST:$PGPORT cannot be read. No backup was made."
[ "$hypertables" = 0 ] || fail "The schema \"$schema\" has TimescaleDB hypertables, which a dump of one schema misses. Use \`colonies database copy --to FOLDER\`." 2

mkdir -p "$folder"
name=colonies-$(date -u +%Y%m%dT%H%M%SZ)
[ ! -e "$folder/$name.dump" ] || fail "$folder/$name.dump is already there. Wait a second."
unfinished=$folder/.unfinished-$$
trap 'rm -f "$unfinished".*' EXIT
trap 'exit 1' HUP INT TERM

# The head comes first: the dump then contains the seal that it names.
colonies audit head --output json > "$unfinished.head" || fail 'The audit head cannot be read. No backup was made.'
grep -q '"hash"' "$unfinished.head" || fail 'The history has no seal yet. Start a server, wait a few seconds and try again.'
pg_dump --schema="\"$schema\"" --format=custom --file="$unfinished.dump" || fail 'pg_dump failed. No backup was made.'
contents=$(pg_restore --list "$unfinished.dump") || fail 'The dump cannot be read back. No backup was made.'
for table in live seals; do
	case $contents in
		*"TABLE DATA $schema $table "*) ;;
		*) fail "The dump lacks the table $schema.$table. No backup was made." ;;
	esac
done

# The dump gets its name last: a file with the ending .dump is a whole backup.
mv "$unfinished.dump" "$unfinished.named"
(
	cd "$folder"
	hash=$(sha256sum < ".unfinished-$$.named")
	printf '%s  %s\n' "${hash%% *}" "$name.dump" > "$name.sha256"
	hash=$(sha256sum < ".unfinished-$$.head")
	printf '%s  %s\n' "${hash%% *}" "$name.head" >> "$name.sha256"
	mv ".unfinished-$$.head" "$name.head"
	mv ".unfinished-$$.named" "$name.dump"
)

# Names sort by time.
for dump in "$folder"/colonies-????????T??????Z.dump; do
	printf '%s\n' "$dump"
done | sort -r | tail -n "+$((count + 1))" | while IFS= read -r dump; do
	rm -f "$dump" "${dump%.dump}.head" "${dump%.dump}.sha256"
done
printf '%s\n' "$folder/$name.dump"
