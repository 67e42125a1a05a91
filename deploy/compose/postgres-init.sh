#!/bin/sh
# On a server's first start: for each of DATABASES a database, and a role of its name that owns it, with the password in
# /run/secrets/<name>_password; then the dumps of Northwind, where they are mounted, as its owner.
set -eu
for database in $DATABASES; do
    # psql itself reads the password, so that it stands in no process' arguments.
    psql --username postgres --set ON_ERROR_STOP=1 --set name="$database" --quiet <<SQL
\set password \`cat /run/secrets/${database}_password\`
create role :"name" login password :'password';
create database :"name" owner :"name";
SQL
done
for dump in /docker-entrypoint-initdb.d/northwind/*.sql; do
    [ -f "$dump" ] || continue
    PGOPTIONS='-c role=northwind' psql --username postgres --dbname northwind --set ON_ERROR_STOP=1 --quiet --file "$dump"
done
