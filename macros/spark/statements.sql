{% macro statements(sql) %}
    {{ return(adapter.dispatch('statements')(sql)) }}
{% endmacro %}

{% macro default__statements(sql) %}
    {{ return([sql]) }}
{% endmacro %}

{#-
    Spark runs one statement at a time, and spells some of standard SQL in its own way: quotes and
    backslashes in texts, and types that are in hundreds of places. Larger differences are dispatched
    macros.
-#}
{% macro spark__statements(sql) %}
    {%- set words = {
        'varchar\\b(?! *\\()': 'string',
        'bytea\\b': 'binary',
        'double precision\\b': 'double',
        'collate "C"': '',
        '(?<=extract\\()isoyear\\b': 'yearofweek',
        '(?<=extract\\()isodow\\b': 'dow_iso',
        '~(?!\\S)': 'rlike',
    } -%}
    {%- set statements = [[]] -%}
    {#- Comments, texts, the ends of statements, and all else. -#}
    {%- for part in modules.re.findall("--[^\n]*|'(?:[^']|'')*'|;|[^';-]+|-", sql) -%}
        {%- set written = [part] -%}
        {%- if part == ';' -%}
            {%- do statements.append([]) -%}
        {%- elif part.startswith("'") -%}
            {%- set text = part[1:-1] | replace('\\', '\\\\') | replace("''", "\\'") -%}
            {%- do statements[-1].append("'" ~ text ~ "'") -%}
        {%- elif not part.startswith('--') -%}
            {%- for word, spark_word in words.items() -%}
                {%- do written.append(modules.re.sub('(?<!\\w)' ~ word, spark_word, written[-1])) -%}
            {%- endfor -%}
            {%- do statements[-1].append(written[-1]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(statements | map('join') | map('trim') | select | list) }}
{% endmacro %}
