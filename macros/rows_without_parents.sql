{#- `references`: lists of a relation, its column, and the relation and key that the column refers to. -#}
{% macro rows_without_parents(references) %}
    {%- for child, column, parent, key in references %}
        {% if not loop.first %}
            union all
        {% endif %}
        select
            '{{ child.identifier }}' as model_name,
            '{{ column }}' as column_name,
            cast(children.{{ column }} as varchar) as unknown_key,
            count(*) as row_count
        from {{ child }} as children
        left join {{ parent }} as parents
            on children.{{ column }} = parents.{{ key }}
        where
            children.{{ column }} is not null
            and parents.{{ key }} is null
        group by children.{{ column }}
    {%- endfor %}
{% endmacro %}
