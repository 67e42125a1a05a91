-- Fails if an album or a todo is of a user who hasn't arrived, or a photo in such an album, because
-- then it is counted for nobody: rows were deleted, or came, while the lists were read.
{{ config(severity='warn') }}
{%- set albums = ref('stg_community__albums') -%}
{%- set users = ref('stg_community__users') %}

{{ rows_without_parents([
    (albums, 'user_id', users, 'user_id'),
    (ref('stg_community__todos'), 'user_id', users, 'user_id'),
    (ref('stg_community__photos'), 'album_id', albums, 'album_id'),
]) }}
