{#-
    A hook and not a constraint of the contract: dbt 1.11 writes the resolved name over the
    constraint's `to`, so that a second build with the same parsed project, as a backfill does it,
    would not compile.
-#}
{% macro add_foreign_key(column, parent, parent_column) %}
    {{ return(adapter.dispatch('add_foreign_key')(column, parent, parent_column)) }}
{% endmacro %}

{% macro default__add_foreign_key(column, parent, parent_column) %}
    {{ return('') }}
{% endmacro %}

{% macro postgres__add_foreign_key(column, parent, parent_column) %}
    alter table {{ this }} add foreign key ({{ column }}) references {{ parent }} ({{ parent_column }})
{% endmacro %}
