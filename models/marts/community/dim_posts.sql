with posts as (
    select * from {{ ref('stg_community__posts') }}
),

comments as (
    select * from {{ ref('stg_community__comments') }}
),

post_comments as (
    select
        post_id,
        count(*) as comment_count
    from comments
    group by post_id
),

final as (
    select
        posts.post_id,
        posts.user_id,
        posts.post_title,
        posts.post_body,
        coalesce(post_comments.comment_count, 0) as comment_count
    from posts
    left join post_comments
        on posts.post_id = post_comments.post_id
)

select * from final
