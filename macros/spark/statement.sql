{#- Overrides dbt's macro, through which all SQL goes: an engine may need it in other words, or in parts. -#}
{%- macro statement(name=none, fetch_result=false, auto_begin=true, language='sql') -%}
    {%- for part in statements(caller()) -%}
        {%- call dbt.statement(name, fetch_result, auto_begin, language) -%}
            {{ part }}
        {%- endcall -%}
    {%- endfor -%}
{%- endmacro %}
