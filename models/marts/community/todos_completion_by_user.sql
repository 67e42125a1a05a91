with users as (
    select * from {{ ref('dim_users') }}
),

todos as (
    select * from {{ ref('stg_community__todos') }}
),

counted as (
    select
        user_id,
        count(*) as todo_count,
        count(*) filter (where is_completed) as completed_count
    from todos
    group by user_id
),

-- The rate in whole ten-thousandths, half up: a quotient rounds differently on every engine.
final as (
    select
        users.user_id,
        users.username,
        coalesce(counted.todo_count, 0) as todo_count,
        coalesce(counted.completed_count, 0) as completed_count,
        cast(
            floor(
                (20000 * counted.completed_count + counted.todo_count) / (2 * counted.todo_count)
            ) * 0.0001 as decimal(5, 4)
        ) as completion_rate
    from users
    left join counted
        on users.user_id = counted.user_id
)

select * from final
