{{ control_totals(
    ref('stg_community__users'),
    'community', 'users', 'user_id'
) }}

union all

{{ control_totals(
    ref('stg_community__posts'),
    'community', 'posts', 'post_id'
) }}

union all

{{ control_totals(
    ref('stg_community__comments'),
    'community', 'comments', 'comment_id'
) }}

union all

{{ control_totals(
    ref('stg_community__albums'),
    'community', 'albums', 'album_id'
) }}

union all

{{ control_totals(
    ref('stg_community__photos'),
    'community', 'photos', 'photo_id'
) }}

union all

{{ control_totals(
    ref('stg_community__todos'),
    'community', 'todos', 'todo_id'
) }}
