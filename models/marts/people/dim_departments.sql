with departments as (
    select * from {{ ref('stg_people__departments') }}
),

final as (
    select
        department_id,
        department_name,
        is_active
    from departments
)

select * from final
