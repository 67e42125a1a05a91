with jobs as (
    select * from {{ ref('stg_people__jobs') }}
),

final as (
    select
        job_id,
        job_name,
        is_active
    from jobs
)

select * from final
