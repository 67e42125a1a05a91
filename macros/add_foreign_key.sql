{#-
    A hook, not a constraint of the contract: dbt 1.11 overwrites the constraint's `to` with the
    resolved name, so a second build of the same parse, as in a backfill, wouldn't compile.
-#}
{% macro add_foreign_key(column, parent, parent_column) %}
    {{ return(adapter.dispatch('add_foreign_key')(column, parent, parent_column)) }}
{% endmacro %}

{% macro default__add_foreign_key(column, parent, parent_column) %}
    {{ return('') }}
{% endmacro %}

{% macro postgres__add_foreign_key(column, parent, parent_column) %}
    {#- A table that is changed in place has the key already. -#}
    {%- set name = this.identifier ~ '_' ~ column ~ '_fkey' %}
    alter table {{ this }}
    drop constraint if exists {{ name }},
    add constraint {{ name }} foreign key ({{ column }}) references {{ parent }} ({{ parent_column }})
{% endmacro %}
