# What backup.sh and restore.sh share: it stands beside them.
# shellcheck shell=sh

fail() {
	echo "$1" >&2
	exit "${2:-1}"
}

# Checks the settings and programs of both. $1: why the root password is needed; $2: what the one host is for; then the programs.
# COLONIES_DBHOST and its siblings become the variables of PostgreSQL's own programs.
use_database() {
	[ -n "${COLONIES_ROOT_PASSWORD:-}" ] || fail "COLONIES_ROOT_PASSWORD is not set. $1" 2
	purpose=$2
	shift 2
	for program in "$@"; do
		command -v "$program" >/dev/null || fail "The program $program is not on the PATH. Install it, or add its folder to PATH." 2
	done
	case ${COLONIES_DBHOST:-} in
		*,*) fail "COLONIES_DBHOST is \"$COLONIES_DBHOST\". Name the one host to $purpose." 2 ;;
	esac

	# For PostgreSQL's own programs. A password in the environment is in no list of processes.
	PGHOST=${COLONIES_DBHOST:-localhost} PGPORT=${COLONIES_DBPORT:-5432} PGUSER=${COLONIES_DBUSER:-postgres} PGDATABASE=${COLONIES_DBNAME:-postgres}
	export PGHOST PGPORT PGUSER PGDATABASE COLONIES_DBHOST="$PGHOST"
	if [ -n "${COLONIES_DBPASSWORD:-}" ]; then
		export PGPASSWORD="$COLONIES_DBPASSWORD"
	fi
}
