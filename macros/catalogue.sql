{#-
    The tables in `config.meta` of models/staging/*/_*__sources.yml, as SQL for a stage: raw,
    staging or mart. ingestion/catalogue.py reads the same entries for the loader.
    dbt doesn't know sources while it parses, so a model that loops over the tables lists what it
    reads. A missing line is an error.
-#}
{% macro catalogue(stage) %}
    {%- set tables = [] -%}
    {%- for node in (graph.sources.values() if execute else []) | sort(attribute='unique_id')
        if node.config.meta.key and (stage != 'mart' or node.config.meta.mart) -%}
        {%- set meta = node.config.meta -%}
        {%- if stage == 'raw' -%}
            {%- set reads = "source('" ~ node.source_name ~ "', '" ~ node.name ~ "')" -%}
            {%- set ids = [node.unique_id] -%}
        {%- else -%}
            {%- set staging = meta.staging or 'stg_' ~ node.source_name ~ '__' ~ node.name -%}
            {%- set name = meta.mart if stage == 'mart' else staging -%}
            {%- set reads = "ref('" ~ name ~ "')" -%}
            {%- set ids = [
                'model.' ~ project_name ~ '.' ~ name, 'snapshot.' ~ project_name ~ '.' ~ name
            ] -%}
        {%- endif -%}
        {%- set id = ids | select('in', model.depends_on.nodes) | first -%}
        {%- if not id -%}
            {{ exceptions.raise_compiler_error(
                model.name ~ " must list what it reads; add the line: "
                ~ "-- depends_on: {" ~ "{ " ~ reads ~ " }" ~ "}"
            ) }}
        {%- endif -%}
        {%- set columns = {} -%}
        {%- for part in ['key', 'amount'] -%}
            {%- set names = [] -%}
            {%- for column in meta.get(part, []) -%}
                {%- if stage != 'raw' -%}
                    {%- do names.append(meta.get('renamed', {}).get(column, column)) -%}
                {%- else -%}
                    {%- do names.append(adapter.quote(column) if part == 'key' else column) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- do columns.update({part: meta.get(stage ~ '_' ~ part, names)}) -%}
        {%- endfor -%}
        {%- set amount = columns.amount | list -%}
        {%- if stage == 'raw' and amount -%}
            {%- set amount = [to_money(amount[0], or_null=true)] + amount[1:] -%}
        {%- endif -%}
        {%- set rows = meta.get(stage ~ '_rows', 'true') -%}
        {%- set rejected_rows = 'false' -%}
        {%- if stage == 'staging' and '_reject_reason' in graph.nodes[id].columns -%}
            {%- set rows, rejected_rows = '_reject_reason is null', '_reject_reason is not null' -%}
        {%- elif id.startswith('snapshot.') -%}
            {%- set rows = 'dbt_valid_from <= ' ~ run_date()
                ~ ' and (dbt_valid_to is null or dbt_valid_to > ' ~ run_date() ~ ')' -%}
        {%- endif -%}
        {%- do tables.append({
            'source_name': node.config.tags | last,
            'table_name': node.name,
            'relation': source(node.source_name, node.name) if stage == 'raw' else ref(name),
            'key': key_number(columns.key, meta.key_as),
            'amount': amount | join(' * '),
            'rows': rows,
            'rejected_rows': rejected_rows,
        }) -%}
    {%- endfor -%}
    {{ return(tables) }}
{% endmacro %}
