-- Ten posts a member, and on the whole five comments a post: some have none, some have ten.
create view community_posts as
select
    range // 10 + 1 as "userId",
    range + 1 as id,
    community_phrase('post', range) as title,
    concat(community_sentence('post: first', range), chr(10), community_sentence('post: then', range)) as body
from range(100 * getvariable('scale'))
order by range;

create view community_comments as
select
    range // 500 * 100 + roll('comment: post', range, 100) + 1 as "postId",
    range + 1 as id,
    community_phrase('comment', range) as name,
    concat('guest', roll('comment: guest', range, 400), '@post.example') as email,
    community_sentence('comment: text', range) as body
from range(500 * getvariable('scale'))
order by range;
