{#-
    Microseconds followed by the event's number, as one number: its maximum finds the latest row in
    one pass, while a window would sort all rows. Event numbers are below 10^19.
-#}
{% macro recency_number(occurred_at, event_id) -%}
    {{ return(adapter.dispatch('recency_number')(occurred_at, event_id)) }}
{%- endmacro %}

{% macro default__recency_number(occurred_at, event_id) -%}
    cast(epoch_us({{ occurred_at }}) as hugeint) * 10000000000000000000 + {{ event_id }}
{%- endmacro %}

{% macro spark__recency_number(occurred_at, event_id) -%}
    cast(unix_micros(cast({{ occurred_at }} as timestamp_ltz)) as decimal(18, 0))
    * cast(10000000000000000000 as decimal(20, 0)) + {{ event_id }}
{%- endmacro %}

{#- By whole numbers: before Postgres 14, `extract` returns a double, which has too few digits. -#}
{% macro postgres__recency_number(occurred_at, event_id) -%}
    (
        cast(floor(extract(epoch from {{ occurred_at }})) as bigint) * 1000000
        + cast(extract(microseconds from {{ occurred_at }}) as bigint) % 1000000
    ) * 10000000000000000000 + {{ event_id }}
{%- endmacro %}
