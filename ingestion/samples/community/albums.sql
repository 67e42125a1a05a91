-- Ten albums a member with fifty photos each, and twenty things to do, more of which some members have done than others.
create view community_albums as
select
    range // 10 + 1 as "userId",
    range + 1 as id,
    community_phrase('album', range) as title
from range(100 * getvariable('scale'))
order by range;

create view community_photos as
with

shot as (
    select range as number, format('{:06x}', roll('photo: colour', range, 16777216)) as colour
    from range(5000 * getvariable('scale'))
)

select
    number // 50 + 1 as "albumId",
    number + 1 as id,
    community_phrase('photo', number) as title,
    concat('https://photos.example/600/', colour) as url,
    concat('https://photos.example/150/', colour) as "thumbnailUrl"
from shot
order by number;

create view community_todos as
select
    range // 20 + 1 as "userId",
    range + 1 as id,
    community_sentence('todo', range) as title,
    roll('todo: done', range, 100) < 10 + roll('todo: zeal', range // 20, 80) as completed
from range(200 * getvariable('scale'))
order by range;
