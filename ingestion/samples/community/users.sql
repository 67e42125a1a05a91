-- Ten members a scale: where they live is real, who they are is not. Coordinates are text, as the API has them.
create view community_users as
with

members as (
    select
        range + 1 as id,
        person_name('member', range) as name,
        roll('member: place', range, 45) + 1 as place_id,
        concat(pick(['Lantern', 'Mooring', 'Tally', 'Clinker', 'Barrel'], 'member: firm', range), ' ',
            pick(['Provisions', '& Daughters', 'Imports', 'Cold Storage'], 'member: kind', range)) as firm
    from range(10 * getvariable('scale'))
)

select
    members.id,
    members.name,
    concat(lower(split_part(strip_accents(members.name), ' ', 1)), '_', members.id) as username,
    concat('member', members.id, '@', lower(split_part(members.firm, ' ', 1)), '.example') as email,
    {
        'street': replace(places.street, '#', (1 + roll('member: number', members.id, 190))::varchar),
        'suite': concat('Loft ', 1 + roll('member: suite', members.id, 99)),
        'city': places.city,
        'zipcode': coalesce(places.postal_code, '0'),
        'geo': {
            'lat': ((roll('member: lat', members.id, 1400000) - 700000) / 10000)::decimal(9, 4)::varchar,
            'lng': ((roll('member: lng', members.id, 3600000) - 1800000) / 10000)::decimal(9, 4)::varchar
        }
    } as address,
    phone_number('member', members.id, places.area) as phone,
    concat(lower(split_part(members.firm, ' ', 1)), members.id, '.example') as website,
    {
        'name': members.firm,
        'catchPhrase': community_phrase('member: phrase', members.id),
        'bs': community_phrase('member: trade', members.id)
    } as company
from members
inner join places on members.place_id = places.place_id
order by members.id;
