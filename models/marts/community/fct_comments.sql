with comments as (
    select * from {{ ref('stg_community__comments') }}
),

posts as (
    select * from {{ ref('stg_community__posts') }}
),

-- A comment whose post is unknown is kept: the API's lists are read one after the other.
final as (
    select
        comments.comment_id,
        comments.post_id,
        posts.user_id as post_author_id,
        comments.comment_title,
        comments.author_email,
        comments.comment_body
    from comments
    left join posts
        on comments.post_id = posts.post_id
)

select * from final
