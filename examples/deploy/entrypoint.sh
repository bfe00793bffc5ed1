#!/bin/sh
# Runs colonies in a container. Secrets come from files: COLONIES_ROOT_PASSWORD_FILE and COLONIES_DBPASSWORD_FILE name them.
#
#     entrypoint.sh server start --port 8080
set -eu

read_secret() {
	if [ ! -r "$1" ] || [ ! -s "$1" ]; then
		echo "The secret file \"$1\" is missing, empty or not readable. Mount it, and let the user $(id -u) read it." >&2
		exit 2
	fi
	cat "$1"
}

if [ -n "${COLONIES_ROOT_PASSWORD_FILE:-}" ]; then
	COLONIES_ROOT_PASSWORD=$(read_secret "$COLONIES_ROOT_PASSWORD_FILE")
	export COLONIES_ROOT_PASSWORD
fi
if [ -n "${COLONIES_DBPASSWORD_FILE:-}" ]; then
	COLONIES_DBPASSWORD=$(read_secret "$COLONIES_DBPASSWORD_FILE")
	export COLONIES_DBPASSWORD
fi
exec colonies "$@"
