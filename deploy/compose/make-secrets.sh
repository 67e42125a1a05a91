#!/bin/sh
# Make the secrets that compose.yaml mounts, each a file of its own; those that are there stay as they are.
# The folder is for its owner alone. The files can be read by all, because containers don't run as their owner.
set -eu
umask 022
folder=$(dirname "$0")/secrets
mkdir -p "$folder"
chmod 700 "$folder"

# keep NAME: write standard input to the secret, unless it is there.
keep() {
    if [ -s "$folder/$1" ]; then cat > /dev/null; return; fi
    cat > "$folder/.$1"
    mv "$folder/.$1" "$folder/$1"
}

secret() { cat "$folder/$1"; }

for name in source_password northwind_password people_password warehouse_password tradewinds_password airflow_password \
    s3_key s3_secret airflow_jwt_secret; do
    od -An -N 24 -tx1 /dev/urandom | tr -d ' \n' | keep "$name"
done
# Fernet wants 32 bytes in base64 of the URL's alphabet.
head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' | keep airflow_fernet_key
printf 'postgresql://northwind:%s@source:5432/northwind' "$(secret northwind_password)" | keep northwind_credentials
printf 'postgresql://people:%s@source:5432/people' "$(secret people_password)" | keep people_database_url
printf 'postgresql+psycopg2://airflow:%s@warehouse:5432/airflow' "$(secret airflow_password)" | keep airflow_database_url
printf '{"identities": [{"name": "tradewinds", "credentials": [{"accessKey": "%s", "secretKey": "%s"}],
 "actions": ["Admin", "Read", "Write", "List"]}]}' "$(secret s3_key)" "$(secret s3_secret)" | keep s3_config
