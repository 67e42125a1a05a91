#!/bin/sh
# Run a command with the settings that stand in files: NAME_FILE=/run/secrets/x becomes NAME, its content.
# Only these names, so that no other variable that ends in _FILE is taken for one. Nothing is printed but an error.
set -eu

for name in \
    SOURCES__NORTHWIND__CREDENTIALS SOURCES__COMMUNITY__API_KEY PEOPLE_DATABASE_URL PEOPLE_API_KEY \
    TRADEWINDS_POSTGRES_PASSWORD FSSPEC_S3_KEY FSSPEC_S3_SECRET \
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN AIRFLOW__CORE__FERNET_KEY AIRFLOW__API_AUTH__JWT_SECRET; do
    eval "file=\${${name}_FILE:-}"
    [ -n "$file" ] || continue
    [ -r "$file" ] || { echo "entrypoint: ${name}_FILE: $file can't be read" >&2; exit 2; }
    value=$(cat "$file")
    export "$name=$value"
    unset "${name}_FILE"
done

exec "$@"
