#!/bin/sh
# A computer that runs a command for each process, four at once:
#
#     sh examples/work.sh COLONYID COMPUTERID
#
# The in attribute "name" is $COLONIES_IN_NAME for the command, and the whole process is JSON on its standard input. What it prints becomes the out attribute "stdout".
# It works where the other commands would. ctrl-c, or SIGTERM, lets it finish what it runs.
exec npx colonies computer work --colonyid "$1" --computerid "$2" --concurrency 4 -- sh -c 'echo "Hello, ${COLONIES_IN_NAME:-world}!"'
